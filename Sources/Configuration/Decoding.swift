internal import YAML

/// The decoding of one file: it goes on after an error, so that all of them are reported.
struct Decoding {
    /// The file's name, for messages.
    let path: String
    private(set) var diagnostics: [Diagnostic] = []

    init(path: String) {
        self.path = path
    }

    func location(of node: YAMLNode) -> Diagnostic.Location {
        .file(path: path, position: node.position)
    }

    mutating func report(_ message: String, at node: YAMLNode, note: String? = nil) {
        diagnostics.append(Diagnostic(message, at: location(of: node), note: note))
    }

    /// Reads a value that is written as text; nil after reporting what is wrong with it.
    mutating func scalar<Value>(_ node: YAMLNode, _ kind: ValueKind<Value>) -> Value? {
        guard let text = node.text else {
            var note: String?
            // To YAML, [::1] without quotes is a list.
            if case .sequence(let items) = node.content, items.contains(where: { $0.text?.contains(":") == true }) {
                note = "an IPv6 address needs quotes in YAML: \"[::1]:8000\""
            }
            report("expected \(kind.expected), found \(node.inWords)", at: node, note: note)
            return nil
        }
        do {
            return try kind.read(text)
        } catch {
            report(error.message, at: node)
            return nil
        }
    }

    /// Reads a mapping by the list of its keys, in that list's order.
    mutating func mapping<Target: KeyedMapping>(_ node: YAMLNode, into target: inout Target) {
        guard case .mapping(let entries) = node.content else {
            report("expected a mapping, found \(node.inWords)", at: node)
            return
        }
        let values = known(entries, of: Target.self)
        for key in Target.keys {
            if let value = values[key.name] {
                key.decode(value, &target, &self)
            } else if let example = key.requiredExample {
                let note = "for example '\(key.name): \(example)'"
                report("missing key '\(key.name)' \(Target.place)", at: node, note: note)
            }
        }
    }

    /// The values by key, after reporting unknown, unsupported and repeated keys.
    private mutating func known<Target: KeyedMapping>(
        _ entries: [YAMLNode.Entry], of _: Target.Type
    ) -> [String: YAMLNode] {
        let supported = Target.keys.filter(\.isSupported).map(\.name)
        let unsupported = Target.keys.filter { !$0.isSupported }.map(\.name)
        var first: [String: YAMLNode.Entry] = [:]
        for entry in entries {
            guard let name = entry.key.text else {
                report("expected a key, found \(entry.key.inWords)", at: entry.key)
                continue
            }
            if let earlier = first[name] {
                report(
                    "duplicate key \(quoted(name)) \(Target.place)", at: entry.key,
                    note: "first at \(location(of: earlier.key))")
                continue
            }
            first[name] = entry
            if unsupported.contains(name) {
                report("key '\(name)' is not supported yet", at: entry.key)
            } else if !supported.contains(name) {
                let advice =
                    nearestName(to: name, among: supported).map { "did you mean '\($0)'?" }
                    ?? "expected \(listed(supported))"
                report("unknown key \(quoted(name)) \(Target.place); \(advice)", at: entry.key)
            }
        }
        return first.mapValues(\.value)
    }
}

extension YAMLNode {
    /// What a message says was found.
    var inWords: String {
        switch content {
        case .scalar(let text, _): isNull ? "nothing" : quoted(text)
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }

    /// A scalar, with quotes only where it would not be text otherwise.
    init(plainly text: String) {
        self.init(.scalar(text, .plain))
        if isNull { content = .scalar(text, .quoted) }
    }

    /// A mapping as its list of keys says.
    init<Target: KeyedMapping>(encoding target: Target) {
        self.init(
            .mapping(
                Target.keys.compactMap { key in
                    key.encode(target).map { Entry(key: YAMLNode(plainly: key.name), value: $0) }
                }))
    }
}
