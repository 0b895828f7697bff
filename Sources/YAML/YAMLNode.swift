/// One node of a YAML document, with its place in the text.
///
/// ```swift
/// let document = try YAMLNode(parsing: Array("drain: 5s".utf8))
/// ```
public struct YAMLNode: Hashable, Sendable {
    /// The node's content.
    public var content: Content
    /// The node's beginning.
    public var position: YAMLPosition
    /// The number of characters of its line that a scalar takes, quotes included; 1 for lists, mappings, and for text that
    /// goes on in another line.
    public var width: Int

    /// A node at a position; nodes that were not read from a text stand at 1:1.
    public init(_ content: Content, at position: YAMLPosition = YAMLPosition(line: 1, column: 1), width: Int = 1) {
        self.content = content
        self.position = position
        self.width = width
    }

    /// The content of a node.
    public enum Content: Hashable, Sendable {
        /// Text, which the reader gives its meaning.
        case scalar(String, Style)
        /// A list.
        case sequence([YAMLNode])
        /// Keys and values in the order of the text. Duplicates are kept, so that they can be reported.
        case mapping([Entry])
    }

    /// The style of a scalar: `null` is nothing when plain, and a word when quoted.
    public enum Style: Hashable, Sendable {
        /// Without quotes.
        case plain
        /// In quotes of either kind, or as a block (`|`, `>`).
        case quoted
    }

    /// A key of a mapping and its value.
    public struct Entry: Hashable, Sendable {
        /// The key, which YAML allows to be any node.
        public var key: YAMLNode
        /// The value.
        public var value: YAMLNode

        /// A key and its value.
        public init(key: YAMLNode, value: YAMLNode) {
            self.key = key
            self.value = value
        }
    }

    /// The text of a scalar; nil for a list, a mapping, and nothing (``isNull``).
    public var text: String? {
        if case .scalar(let text, _) = content, !isNull { text } else { nil }
    }

    /// Whether the node is nothing: left out, `~` or `null` (YAML 1.2.2, section 10.3.2).
    public var isNull: Bool {
        guard case .scalar(let text, .plain) = content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }
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
        let mark = YAMLLines.byteOrderMark
        let text = bytes.starts(with: mark) ? Array(bytes.dropFirst(mark.count)) : bytes
        self = try text.withUnsafeBufferPointer { (input) throws(YAMLError) in
            var parser = YAMLParser(events: try YAMLEvents(reading: input))
            return try parser.document()
        }
    }
}
