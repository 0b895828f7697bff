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
