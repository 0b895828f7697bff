internal import YAML

/// A mapping of the file. One list of keys says everything about them: it decodes the file, takes
/// the options and environment variables, writes the effective configuration, and is what the JSON Schema and the
/// tests of the documentation are made from.
protocol KeyedMapping: Sendable {
    /// With all defaults.
    init()
    /// The place of its keys, for messages: `in a route`.
    static var place: String { get }
    /// In the order in which they are decoded and written.
    static var keys: [Key<Self>] { get }
}

/// A key of a mapping of the file.
struct Key<Target: Sendable>: Sendable {
    let name: String
    let description: KeyDescription
    /// The options that set the same thing from the command line or the environment.
    let options: [KeyOption<Target>]
    let decode: @Sendable (YAMLNode, inout Target, inout Decoding) -> Void
    /// Nil when the key is left out.
    let encode: @Sendable (Target) -> YAMLNode?

    init(
        _ name: String, _ description: KeyDescription, options: [KeyOption<Target>] = [],
        decode: @escaping @Sendable (YAMLNode, inout Target, inout Decoding) -> Void,
        encode: @escaping @Sendable (Target) -> YAMLNode?
    ) {
        self.name = name
        self.description = description
        self.options = options
        self.decode = decode
        self.encode = encode
    }

    /// Makes the same key of a mapping that holds all of this one's keys among its own.
    func lifted<Outer>(into path: any WritableKeyPath<Outer, Target> & Sendable) -> Key<Outer> {
        Key<Outer>(
            name, description, options: options.map { $0.lifted(into: path) },
            decode: { node, outer, decoding in decode(node, &outer[keyPath: path], &decoding) },
            encode: { encode($0[keyPath: path]) })
    }
}

/// A setting that the command line and the environment know as well.
struct KeyOption<Target: Sendable>: Sendable {
    typealias Setter = @Sendable (inout Target) -> Void

    let name: String
    /// The same setting's key in the file: `log.level`.
    let key: KeyPathText
    let placeholder: String
    let help: String
    let defaultText: String
    /// The keys below ``key`` that a text sets; nil where it sets the key itself.
    var keys: (@Sendable (String) -> [KeyPathText])?
    /// Turns the text into what stores its value.
    let read: @Sendable (String) throws(ValueError) -> Setter

    func lifted<Outer>(into path: any WritableKeyPath<Outer, Target> & Sendable) -> KeyOption<Outer> {
        lifted(under: nil) { setter in { setter(&$0[keyPath: path]) } }
    }

    /// - Parameter outer: the key that holds the mapping of this one.
    func lifted<Outer>(
        under outer: String?, by lift: @escaping @Sendable (@escaping Setter) -> KeyOption<Outer>.Setter
    ) -> KeyOption<Outer> {
        KeyOption<Outer>(
            name: name, key: outer.map { KeyPathText($0).appending(key) } ?? key, placeholder: placeholder, help: help,
            defaultText: defaultText, keys: keys, read: { text throws(ValueError) in lift(try read(text)) })
    }
}

/// The form of a list's item as a mapping, for values that a text cannot hold.
struct ItemForm<Value: Sendable>: Sendable {
    /// The mapping's keys.
    let descriptions: @Sendable () -> [(name: String, description: KeyDescription)]
    /// Nil after reporting what is wrong.
    let decode: @Sendable (YAMLNode, inout Decoding) -> Value?
    /// Nil for a value that a text can say.
    let encode: @Sendable (Value) -> YAMLNode?
}

extension Key where Target: KeyedMapping {
    /// A value that is written as text and has a default.
    /// - Parameters:
    ///   - option: the name of the option that sets it as well.
    ///   - unit: what a number counts, where the kind does not say it.
    static func scalar<Value>(
        _ name: String, _ kind: ValueKind<Value>, _ path: any WritableKeyPath<Target, Value> & Sendable,
        option: String? = nil, unit: String? = nil, help: String, example: String
    ) -> Key {
        let defaultText = kind.write(Target()[keyPath: path])
        let options = option.map { option in
            KeyOption<Target>(
                name: option, key: KeyPathText(name), placeholder: kind.placeholder, help: help,
                defaultText: defaultText,
                read: { text throws(ValueError) in
                    let value = try kind.read(text)
                    return { $0[keyPath: path] = value }
                })
        }
        return Key(
            name,
            KeyDescription(
                help: help, type: kind.type, unit: unit ?? kind.unit, defaultText: defaultText, example: example,
                schema: .scalar(kind.schemas)),
            options: options.map { [$0] } ?? [],
            decode: { node, target, decoding in
                if let value = decoding.scalar(node, kind) { target[keyPath: path] = value }
            },
            encode: { YAMLNode(plainly: kind.write($0[keyPath: path])) })
    }

    /// A value whose place is remembered, for messages about how it fits to others.
    static func located<Value: Equatable>(
        _ name: String, _ kind: ValueKind<Value>, _ path: any WritableKeyPath<Target, Located<Value>?> & Sendable,
        isRequired: Bool = false, defaultText: String? = nil, help: String, example: String
    ) -> Key {
        Key(
            name,
            KeyDescription(
                help: help, type: kind.type, derivedDefault: defaultText, isRequired: isRequired, example: example,
                schema: .scalar(kind.schemas)),
            decode: { node, target, decoding in
                guard let value = decoding.scalar(node, kind) else { return }
                target[keyPath: path] = Located(value: value, location: decoding.location(of: node))
            },
            encode: { target in target[keyPath: path].map { YAMLNode(plainly: kind.write($0.value)) } })
    }

    /// A list of such values, which may be written without the list when there is one.
    /// - Parameter form: how an item may be written as a mapping too.
    static func locatedList<Value: Equatable>(
        _ name: String, _ kind: ValueKind<Value>, _ path: any WritableKeyPath<Target, [Located<Value>]> & Sendable,
        form: ItemForm<Value>? = nil, help: String, example: String
    ) -> Key {
        let expected = "\(kind.expected), or a list of these"
        return Key(
            name,
            KeyDescription(
                help: help, type: "\(kind.type)\(form == nil ? "" : ", or a mapping"), or a list of these",
                isRequired: true, example: example,
                schema: .scalarOrList(kind.schemas, atLeast: 1, mapping: form?.descriptions)),
            decode: { node, target, decoding in
                var items = [node]
                var steps = [KeyPathText()]
                if case .sequence(let list) = node.content {
                    if list.isEmpty { decoding.report("expected \(expected), found an empty list", at: node) }
                    items = list
                    steps = list.indices.map { KeyPathText(index: $0) }
                } else {
                    steps = [KeyPathText(index: 0)]
                }
                for (item, step) in zip(items, steps) {
                    decoding.inside(step) { decoding in
                        let value: Value?
                        if let form, case .mapping = item.content {
                            value = form.decode(item, &decoding)
                            decoding.noteAsWhole(item)
                        } else {
                            value = decoding.scalar(item, kind)
                        }
                        guard let value else { return }
                        target[keyPath: path].append(Located(value: value, location: decoding.location(of: item)))
                    }
                }
            },
            encode: { target in
                YAMLNode(
                    .sequence(
                        target[keyPath: path].map { item in
                            form?.encode(item.value) ?? YAMLNode(plainly: kind.write(item.value))
                        }))
            })
    }

    /// A list, which may be written as one text too.
    /// - Parameters:
    ///   - kind: of the whole list and of each item, which is a list of its own.
    ///   - option: the name of the option that sets it as well, in one text.
    static func list<Item>(
        _ name: String, _ kind: ValueKind<[Item]>, _ path: any WritableKeyPath<Target, [Item]> & Sendable,
        option: String, help: String, example: String
    ) -> Key {
        let scalar = scalar(name, kind, path, option: option, help: help, example: example)
        let description = KeyDescription(
            help: help, type: kind.type, defaultText: scalar.description.defaultText, example: example,
            schema: .scalarOrList(kind.schemas, atLeast: 0))
        return Key(
            name, description, options: scalar.options,
            decode: { node, target, decoding in
                guard case .sequence(let items) = node.content else {
                    return scalar.decode(node, &target, &decoding)
                }
                target[keyPath: path] = decoding.list(items, of: node, kind)
            },
            encode: { target in
                let items = target[keyPath: path]
                guard !items.isEmpty else { return scalar.encode(target) }
                return YAMLNode(.sequence(items.map { YAMLNode(plainly: kind.write([$0])) }))
            })
    }

    /// A mapping inside of the mapping.
    /// - Parameter option: one that sets the mapping's keys, besides those of the keys themselves.
    static func mapping<Inner: KeyedMapping>(
        _ name: String, _ path: any WritableKeyPath<Target, Inner> & Sendable, option: KeyOption<Inner>? = nil,
        help: String, example: String
    ) -> Key {
        Key(
            name,
            KeyDescription(help: help, type: "mapping", example: example, schema: .mapping { Inner.descriptions }),
            options: ((option.map { [$0] } ?? []) + Inner.keys.flatMap(\.options)).map { option in
                option.lifted(under: name) { setter in { setter(&$0[keyPath: path]) } }
            },
            decode: { node, target, decoding in decoding.mapping(node, into: &target[keyPath: path]) },
            encode: { YAMLNode(encoding: $0[keyPath: path]) })
    }

    /// A text that must be given.
    static func text(
        _ name: String, _ kind: ValueKind<String>, _ path: any WritableKeyPath<Target, String> & Sendable, help: String,
        example: String
    ) -> Key {
        Key(
            name,
            KeyDescription(
                help: help, type: kind.type, isRequired: true, example: example, schema: .scalar(kind.schemas)),
            decode: { node, target, decoding in
                if let value = decoding.scalar(node, kind) { target[keyPath: path] = value }
            },
            encode: { YAMLNode(plainly: kind.write($0[keyPath: path])) })
    }

    /// A list of mappings.
    static func mappings<Inner: KeyedMapping>(
        _ name: String, _ path: any WritableKeyPath<Target, [Inner]> & Sendable, help: String, example: String
    ) -> Key {
        Key(
            name,
            KeyDescription(
                help: help, type: "list of mappings", example: example, schema: .list { Inner.descriptions }),
            decode: { node, target, decoding in
                guard case .sequence(let items) = node.content else {
                    decoding.report("expected a list of mappings, found \(node.inWords)", at: node)
                    return
                }
                target[keyPath: path] = []
                for (index, item) in items.enumerated() {
                    var inner = Inner()
                    decoding.inside(KeyPathText(index: index)) { $0.mapping(item, into: &inner) }
                    target[keyPath: path].append(inner)
                }
            },
            encode: { target in
                let items = target[keyPath: path]
                return items.isEmpty ? nil : YAMLNode(.sequence(items.map { YAMLNode(encoding: $0) }))
            })
    }
}
