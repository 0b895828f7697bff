/// What a text may ask of the parser at most; beyond it the text is refused.
public enum YAMLLimits {
    /// The longest text in bytes.
    public static let bytes = 1 << 20
    /// How many lists and mappings may enclose a node.
    public static let depth = 32
    /// How many keys, values and list items there may be.
    public static let nodes = 65_536
}

extension YAMLNode {
    /// Reads one document. An empty text is an empty mapping.
    ///
    /// Bounded by ``YAMLLimits``, since the text may come from anyone. Anchors, aliases, tags and further
    /// documents are refused.
    /// - Throws: ``YAMLError`` with the first fault.
    public init(parsing bytes: [UInt8]) throws(YAMLError) {
        guard bytes.count <= YAMLLimits.bytes else {
            throw YAMLError(
                "the text is longer than \(YAMLLimits.bytes) bytes", at: YAMLPosition(line: 1, column: 1))
        }
        do {
            _ = try UTF8Span(validating: bytes.span)
        } catch {
            let position = YAMLPosition(ofByte: error.byteOffsets.lowerBound, in: bytes)
            throw YAMLError("the text is not valid UTF-8", at: position)
        }
        if let nul = bytes.firstIndex(of: 0) {
            throw YAMLError("the text must not contain a NUL byte", at: YAMLPosition(ofByte: nul, in: bytes))
        }
        let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let text = bytes.starts(with: byteOrderMark) ? Array(bytes.dropFirst(byteOrderMark.count)) : bytes
        self = try text.withUnsafeBufferPointer { (input) throws(YAMLError) in
            var parser = YAMLParser(events: try YAMLEvents(reading: input))
            return try parser.document()
        }
    }
}

/// Builds the tree from the events.
private struct YAMLParser: ~Copyable {
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
        case .scalar(let text, let style):
            return YAMLNode(.scalar(text, style), at: position)
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
