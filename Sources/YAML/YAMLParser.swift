/// Builds the tree from the events.
struct YAMLParser: ~Copyable {
    let events: YAMLEvents
    private var nodes = 0

    init(events: consuming YAMLEvents) {
        self.events = events
    }

    mutating func document() throws(YAMLError) -> YAMLNode {
        var root = YAMLNode(.mapping([]))
        var documents = 0
        while true {
            let (event, position) = try events.next()
            switch event {
            case .streamEnd: return root
            case .streamStart, .documentEnd: continue
            case .documentStart:
                documents += 1
                guard documents == 1 else { throw YAMLError("only one document is allowed", at: position) }
            default: root = try node(event, at: position, depth: 0)
            }
            // A document of comments alone, or of `---`, is empty too.
            if root.content == .scalar("", .plain) { root.content = .mapping([]) }
        }
    }

    private mutating func node(
        _ event: YAMLEvents.Event, at position: YAMLPosition, depth: Int
    ) throws(YAMLError) -> YAMLNode {
        nodes += 1
        guard nodes <= YAMLLimits.nodes else {
            throw YAMLError("there are more than \(YAMLLimits.nodes) keys and values", at: position)
        }
        switch event {
        case .scalar(let text, let style, let width):
            return YAMLNode(.scalar(text, style), at: position, width: width)
        case .sequenceStart:
            var items: [YAMLNode] = []
            while let item = try child(depth: depth + 1, at: position) { items.append(item) }
            return YAMLNode(.sequence(items), at: position)
        case .mappingStart:
            var entries: [YAMLNode.Entry] = []
            while let key = try child(depth: depth + 1, at: position) {
                guard let value = try child(depth: depth + 1, at: position) else { break }
                entries.append(YAMLNode.Entry(key: key, value: value))
            }
            return YAMLNode(.mapping(entries), at: position)
        default:
            preconditionFailure("libyaml's events are nested properly")
        }
    }

    /// The next node inside a list or mapping; nil at its end.
    private mutating func child(depth: Int, at parent: YAMLPosition) throws(YAMLError) -> YAMLNode? {
        guard depth <= YAMLLimits.depth else {
            throw YAMLError("lists and mappings are nested more than \(YAMLLimits.depth) deep", at: parent)
        }
        let (event, position) = try events.next()
        switch event {
        case .sequenceEnd, .mappingEnd: return nil
        default: return try node(event, at: position, depth: depth)
        }
    }
}
