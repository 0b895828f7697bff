/// The path of a value in the file, from the top: `log.level`, `routes[1].listen[0]`.
struct KeyPathText: Hashable, Sendable, CustomStringConvertible {
    private(set) var description: String

    /// The top.
    init() {
        description = ""
    }

    init(_ key: String) {
        description = key
    }

    init(index: Int) {
        description = "[\(index)]"
    }

    func appending(_ step: KeyPathText) -> KeyPathText {
        let needsDot = !description.isEmpty && !step.description.isEmpty && !step.description.hasPrefix("[")
        return KeyPathText("\(description)\(needsDot ? "." : "")\(step.description)")
    }

    func appending(_ key: String) -> KeyPathText { appending(KeyPathText(key)) }

    /// The path below a mapping at the top; nil for a path outside of it.
    func within(_ mapping: String) -> KeyPathText? {
        let prefix = mapping + "."
        return description.hasPrefix(prefix) ? KeyPathText(String(description.dropFirst(prefix.count))) : nil
    }

    /// `'level' in 'log'`
    var inWords: String {
        description.split(separator: ".").reversed().map { "'\($0)'" }.joined(separator: " in ")
    }

    /// The list of which it is an item; nil where it is none.
    var list: KeyPathText? {
        guard description.hasSuffix("]"), let bracket = description.lastIndex(of: "[") else { return nil }
        return KeyPathText(String(description[..<bracket]))
    }

    /// The item of a list of which it is a key; nil where it is none.
    var item: KeyPathText? {
        guard let dot = description.lastIndex(of: "."), dot > description.startIndex,
            description[description.index(before: dot)] == "]"
        else { return nil }
        return KeyPathText(String(description[..<dot]))
    }

    /// Whether it is about one of the routes.
    var isInRoutes: Bool { description.hasPrefix("routes[") }

    /// A route, by its index.
    static func route(_ index: Int) -> KeyPathText { KeyPathText("routes[\(index)]") }
}
