internal import YAML

/// What a mapping of the file holds. One list of keys says everything about them: it decodes the file, takes
/// the options and environment variables, and writes the effective configuration.
protocol KeyedMapping: Sendable {
    /// With all defaults.
    init()
    /// Where a key is, for messages: `in a route`.
    static var place: String { get }
    /// In the order in which they are decoded and written.
    static var keys: [Key<Self>] { get }
}

/// A key of a mapping of the file.
struct Key<Target: Sendable>: Sendable {
    let name: String
    /// What it does, in one line.
    let help: String
    /// What its value is, in words.
    let expected: String
    /// The default as text; nil where there is none.
    let defaultText: String?
    /// An example, where the key must be there.
    let requiredExample: String?
    /// False for a name that is known to be planned: it is refused by that name.
    let isSupported: Bool
    /// The options that set the same thing from the command line or the environment.
    let options: [KeyOption<Target>]
    let decode: @Sendable (YAMLNode, inout Target, inout Decoding) -> Void
    /// Nil when the key is left out.
    let encode: @Sendable (Target) -> YAMLNode?

    init(
        _ name: String, help: String, expected: String, defaultText: String? = nil, requiredExample: String? = nil,
        isSupported: Bool = true, options: [KeyOption<Target>] = [],
        decode: @escaping @Sendable (YAMLNode, inout Target, inout Decoding) -> Void,
        encode: @escaping @Sendable (Target) -> YAMLNode?
    ) {
        self.name = name
        self.help = help
        self.expected = expected
        self.defaultText = defaultText
        self.requiredExample = requiredExample
        self.isSupported = isSupported
        self.options = options
        self.decode = decode
        self.encode = encode
    }

    /// The same key of a mapping that holds all of this one's keys among its own.
    func lifted<Outer>(into path: any WritableKeyPath<Outer, Target> & Sendable) -> Key<Outer> {
        Key<Outer>(
            name, help: help, expected: expected, defaultText: defaultText, requiredExample: requiredExample,
            isSupported: isSupported, options: options.map { $0.lifted(into: path) },
            decode: { node, outer, decoding in decode(node, &outer[keyPath: path], &decoding) },
            encode: { encode($0[keyPath: path]) })
    }
}

/// A setting that the command line and the environment know as well.
struct KeyOption<Target: Sendable>: Sendable {
    typealias Setter = @Sendable (inout Target) -> Void

    let name: String
    let placeholder: String
    let help: String
    let defaultText: String
    /// Turns the text into what stores its value.
    let read: @Sendable (String) throws(ValueError) -> Setter

    func lifted<Outer>(into path: any WritableKeyPath<Outer, Target> & Sendable) -> KeyOption<Outer> {
        lifted { setter in { setter(&$0[keyPath: path]) } }
    }

    func lifted<Outer>(
        by lift: @escaping @Sendable (@escaping Setter) -> KeyOption<Outer>.Setter
    ) -> KeyOption<Outer> {
        KeyOption<Outer>(
            name: name, placeholder: placeholder, help: help, defaultText: defaultText,
            read: { text throws(ValueError) in lift(try read(text)) })
    }
}

extension Key where Target: KeyedMapping {
    /// A value that is written as text and has a default.
    /// - Parameter option: the name of the option that sets it as well.
    static func scalar<Value>(
        _ name: String, _ kind: ValueKind<Value>, _ path: any WritableKeyPath<Target, Value> & Sendable,
        option: String? = nil, help: String
    ) -> Key {
        let defaultText = kind.write(Target()[keyPath: path])
        let options = option.map { option in
            KeyOption<Target>(
                name: option, placeholder: kind.placeholder, help: help, defaultText: defaultText,
                read: { text throws(ValueError) in
                    let value = try kind.read(text)
                    return { $0[keyPath: path] = value }
                })
        }
        return Key(
            name, help: help, expected: kind.expected, defaultText: defaultText,
            options: options.map { [$0] } ?? [],
            decode: { node, target, decoding in
                if let value = decoding.scalar(node, kind) { target[keyPath: path] = value }
            },
            encode: { YAMLNode(plainly: kind.write($0[keyPath: path])) })
    }

    /// A value whose place is remembered, for messages about how it fits to others.
    static func located<Value: Equatable>(
        _ name: String, _ kind: ValueKind<Value>, _ path: any WritableKeyPath<Target, Located<Value>?> & Sendable,
        defaultText: String? = nil, requiredExample: String? = nil, help: String
    ) -> Key {
        Key(
            name, help: help, expected: kind.expected, defaultText: defaultText, requiredExample: requiredExample,
            decode: { node, target, decoding in
                guard let value = decoding.scalar(node, kind) else { return }
                target[keyPath: path] = Located(value: value, location: decoding.location(of: node))
            },
            encode: { target in target[keyPath: path].map { YAMLNode(plainly: kind.write($0.value)) } })
    }

    /// A list of such values, which may be written without the list when there is one.
    static func locatedList<Value: Equatable>(
        _ name: String, _ kind: ValueKind<Value>, _ path: any WritableKeyPath<Target, [Located<Value>]> & Sendable,
        requiredExample: String, help: String
    ) -> Key {
        let expected = "\(kind.expected), or a list of these"
        return Key(
            name, help: help, expected: expected, requiredExample: requiredExample,
            decode: { node, target, decoding in
                var items = [node]
                if case .sequence(let list) = node.content {
                    if list.isEmpty { decoding.report("expected \(expected), found an empty list", at: node) }
                    items = list
                }
                for item in items {
                    guard let value = decoding.scalar(item, kind) else { continue }
                    target[keyPath: path].append(Located(value: value, location: decoding.location(of: item)))
                }
            },
            encode: { target in
                YAMLNode(.sequence(target[keyPath: path].map { YAMLNode(plainly: kind.write($0.value)) }))
            })
    }

    /// A mapping inside of the mapping.
    static func mapping<Inner: KeyedMapping>(
        _ name: String, _ path: any WritableKeyPath<Target, Inner> & Sendable, help: String
    ) -> Key {
        Key(
            name, help: help, expected: "a mapping",
            options: Inner.keys.flatMap(\.options).map { $0.lifted(into: path) },
            decode: { node, target, decoding in decoding.mapping(node, into: &target[keyPath: path]) },
            encode: { YAMLNode(encoding: $0[keyPath: path]) })
    }

    /// A key that later versions will know.
    static func unsupported(_ name: String) -> Key {
        Key(name, help: "", expected: "", isSupported: false, decode: { _, _, _ in }, encode: { _ in nil })
    }
}
