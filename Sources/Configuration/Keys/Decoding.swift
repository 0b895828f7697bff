internal import YAML

/// The decoding of one file: it goes on after an error, so that all of them are reported.
struct Decoding {
    /// The file's name, for messages.
    let path: String
    private let environment: [String: String]
    private(set) var diagnostics: [Diagnostic] = []
    /// The origin of each value that was read.
    private(set) var origins: [KeyPathText: ValueOrigin] = [:]
    /// The environment variables that the file names.
    private(set) var variables: Set<String> = []
    /// The key that is being read.
    private var key = KeyPathText()

    /// A file with more faults than this is no configuration; looking further would take long and help nobody.
    static let mostDiagnostics = 1000

    /// - Parameter environment: what `${NAME}` stands for.
    init(path: String, environment: [String: String]) {
        self.path = path
        self.environment = environment
    }

    func location(of node: YAMLNode) -> Diagnostic.Location {
        .file(path: path, position: node.position, width: node.width)
    }

    mutating func report(_ message: String, at node: YAMLNode, note: Diagnostic.Note? = nil) {
        report(message, at: location(of: node), note: note)
    }

    mutating func report(_ message: String, at location: Diagnostic.Location, note: Diagnostic.Note? = nil) {
        guard !isExhausted else { return }
        diagnostics.append(Diagnostic(message, at: location, note: note))
    }

    private var isExhausted: Bool { diagnostics.count >= Self.mostDiagnostics }

    /// Does the work one step further inside of the file.
    mutating func inside(_ step: KeyPathText, _ work: (inout Decoding) -> Void) {
        let outer = key
        key = outer.appending(step)
        work(&self)
        key = outer
    }

    /// Reads a value that is written as text; nil after reporting what is wrong with it.
    mutating func scalar<Value>(_ node: YAMLNode, _ kind: ValueKind<Value>) -> Value? {
        guard let text = node.text else {
            var note: Diagnostic.Note?
            // To YAML, [::1] without quotes is a list.
            if case .sequence(let items) = node.content, items.contains(where: { $0.text?.contains(":") == true }) {
                note = "an IPv6 address needs quotes in YAML: \"[::1]:8000\""
            }
            report("expected \(kind.expected), found \(node.inWords)", at: node, note: note)
            return nil
        }
        let interpolation: Interpolation
        do {
            interpolation = try Interpolation(text, environment: environment)
            variables.formUnion(interpolation.variables)
        } catch {
            report(error.message, at: location(of: error.range, in: node))
            return nil
        }
        do {
            let value = try kind.read(interpolation.text)
            origins[key] = ValueOrigin(location: location(of: node), variables: interpolation.variables)
            return value
        } catch {
            let note =
                interpolation.variables.isEmpty
                ? nil : Diagnostic.Note("it is written as \(quoted(text)), with values of the environment")
            report(error.message, at: node, note: note)
            return nil
        }
    }

    /// Reads the items of a list, each of which is a list of its own; without those that are wrong.
    mutating func list<Item>(_ items: [YAMLNode], of node: YAMLNode, _ kind: ValueKind<[Item]>) -> [Item] {
        var values: [Item] = []
        var variables: [String] = []
        for item in items {
            guard let value = scalar(item, kind) else { continue }
            values += value
            variables += origins[key]?.variables ?? []
        }
        // The list as a whole takes the place of the one that it was.
        origins[key] = ValueOrigin(location: location(of: node), variables: variables)
        return values
    }

    /// Has a mapping that stands for one value count as given in one place.
    mutating func noteAsWhole(_ node: YAMLNode) {
        let parts = origins.filter { $0.key.within(key.description) != nil }
        for part in parts.keys { origins[part] = nil }
        origins[key] = ValueOrigin(location: location(of: node), variables: parts.values.flatMap(\.variables).sorted())
    }

    /// The location of a part of a scalar's text; of the whole scalar where its text is written with escapes.
    private func location(of range: Range<Int>, in node: YAMLNode) -> Diagnostic.Location {
        guard case .scalar(let text, let style) = node.content else { return location(of: node) }
        let quotes = style == .quoted ? 1 : 0
        guard node.width == text.unicodeScalars.count + 2 * quotes else { return location(of: node) }
        let column = node.position.column + quotes + range.lowerBound
        return .file(path: path, position: YAMLPosition(line: node.position.line, column: column), width: range.count)
    }

    /// Reads a mapping by the list of its keys, in that list's order.
    mutating func mapping<Target: KeyedMapping>(_ node: YAMLNode, into target: inout Target) {
        guard case .mapping(let entries) = node.content else {
            report("expected a mapping, found \(node.inWords)", at: node)
            return
        }
        let values = known(entries, of: Target.self)
        for key in Target.keys where !isExhausted {
            if let value = values[key.name] {
                inside(KeyPathText(key.name)) { key.decode(value, &target, &$0) }
            } else if key.description.isRequired {
                report(
                    "missing key '\(key.name)' \(Target.place)", at: node,
                    note: "for example '\(key.name): \(key.description.example)'")
            }
        }
    }

    /// The values by key, after reporting unknown and repeated keys.
    private mutating func known<Target: KeyedMapping>(
        _ entries: [YAMLNode.Entry], of _: Target.Type
    ) -> [String: YAMLNode] {
        let names = Target.keys.map(\.name)
        var first: [String: YAMLNode.Entry] = [:]
        for entry in entries where !isExhausted {
            guard let name = entry.key.text else {
                report("expected a key, found \(entry.key.inWords)", at: entry.key)
                continue
            }
            if let earlier = first[name] {
                report(
                    "duplicate key \(quoted(name)) \(Target.place)", at: entry.key,
                    note: Diagnostic.Note("first", at: location(of: earlier.key)))
                continue
            }
            first[name] = entry
            if !names.contains(name) { report(unknown(name, Target.self), at: entry.key) }
        }
        return first.mapValues(\.value)
    }

    private func unknown<Target: KeyedMapping>(_ name: String, _: Target.Type) -> String {
        if name == "<<" { return "merge keys ('<<') are not supported" }
        let known = Target.keys.map(\.name)
        let advice =
            if let places = ConfigurationDraft.places(of: name) {
                "it belongs \(places)"
            } else if let nearest = nearestName(to: name, among: known) {
                "did you mean '\(nearest)'?"
            } else if let key = ConfigurationOption.all.first(where: { $0.isCalled(name) })?.key {
                "did you mean \(key.inWords)?"
            } else {
                "expected \(listed(known))"
            }
        return "unknown key \(quoted(name)) \(Target.place); \(advice)"
    }
}

extension YAMLNode {
    /// The node as messages name it.
    var inWords: String {
        switch content {
        case .scalar(let text, _): isNull ? "nothing" : quoted(text)
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }

    /// A scalar that reads as the text, with quotes only where it would not be text otherwise.
    init(plainly text: String) {
        let text = text.replacing("$", with: "$$")
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
