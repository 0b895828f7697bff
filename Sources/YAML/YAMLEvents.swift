internal import CLibYAML

/// The events of libyaml's parser, one after the other.
///
/// Anchors, aliases and tags end it with an error: nothing here needs them, and aliases let a short text
/// stand for an enormous one.
struct YAMLEvents: ~Copyable {
    enum Event {
        case streamStart
        case streamEnd
        case documentStart
        case documentEnd
        /// With its width in its line, as in ``YAMLNode/width``.
        case scalar(String, YAMLNode.Style, width: Int)
        case sequenceStart
        case sequenceEnd
        case mappingStart
        case mappingEnd
    }

    /// On the heap, because libyaml keeps a pointer to the structure inside of it.
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let input: UnsafeBufferPointer<UInt8>

    /// - Parameter input: valid UTF-8, which must outlive this value.
    /// - Throws: ``YAMLError`` when there is no memory.
    init(reading input: UnsafeBufferPointer<UInt8>) throws(YAMLError) {
        parser = .allocate(capacity: 1)
        parser.initialize(to: yaml_parser_t())
        self.input = input
        guard yaml_parser_initialize(parser) == 1 else {
            throw .outOfMemory
        }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, input.baseAddress, input.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
    }

    /// - Throws: ``YAMLError`` where the text is not YAML, or uses what is refused.
    func next() throws(YAMLError) -> (event: Event, position: YAMLPosition) {
        var raw = yaml_event_t()
        guard yaml_parser_parse(parser, &raw) == 1 else { throw failure() }
        // Frees the strings inside, which are copied below.
        defer { yaml_event_delete(&raw) }
        let position = YAMLPosition(raw.start_mark)
        return (try event(raw, at: position), position)
    }

    private func event(_ raw: yaml_event_t, at position: YAMLPosition) throws(YAMLError) -> Event {
        switch raw.type {
        case YAML_STREAM_START_EVENT: return .streamStart
        case YAML_DOCUMENT_START_EVENT: return .documentStart
        case YAML_DOCUMENT_END_EVENT: return .documentEnd
        case YAML_SEQUENCE_END_EVENT: return .sequenceEnd
        case YAML_MAPPING_END_EVENT: return .mappingEnd
        case YAML_ALIAS_EVENT:
            throw YAMLError("aliases ('*name') are not supported; quote text that begins with '*'", at: position)
        case YAML_SCALAR_EVENT:
            let scalar = raw.data.scalar
            try refuse(anchor: scalar.anchor, tag: scalar.tag, at: position)
            let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            guard !bytes.contains(0) else { throw YAMLError("text must not contain a NUL character", at: position) }
            let style: YAMLNode.Style = scalar.style == YAML_PLAIN_SCALAR_STYLE ? .plain : .quoted
            let end = YAMLPosition(raw.end_mark)
            let width = end.line == position.line ? max(end.column - position.column, 1) : 1
            return .scalar(String(decoding: bytes, as: UTF8.self), style, width: width)
        case YAML_SEQUENCE_START_EVENT:
            try refuse(anchor: raw.data.sequence_start.anchor, tag: raw.data.sequence_start.tag, at: position)
            return .sequenceStart
        case YAML_MAPPING_START_EVENT:
            try refuse(anchor: raw.data.mapping_start.anchor, tag: raw.data.mapping_start.tag, at: position)
            return .mappingStart
        default: return .streamEnd
        }
    }

    private func refuse(
        anchor: UnsafeMutablePointer<UInt8>?, tag: UnsafeMutablePointer<UInt8>?, at position: YAMLPosition
    ) throws(YAMLError) {
        if anchor != nil {
            throw YAMLError("anchors ('&name') are not supported; quote text that begins with '&'", at: position)
        }
        if tag != nil {
            throw YAMLError("tags ('!name') are not supported; quote text that begins with '!'", at: position)
        }
    }

    /// The error of libyaml, in plain words for the faults that people really make.
    private func failure() -> YAMLError {
        let state = parser.pointee
        guard state.error != YAML_MEMORY_ERROR else {
            return YAMLError("out of memory", at: YAMLPosition(state.mark))
        }
        let problem = state.problem.map { String(cString: $0) } ?? "this is not YAML"
        if state.error == YAML_READER_ERROR {
            return YAMLError(problem, at: YAMLPosition(ofByte: state.problem_offset, in: Array(input)))
        }
        let position = YAMLPosition(state.problem_mark)
        switch (problem, character(at: position)) {
        case ("found character that cannot start any token", "\t"?):
            return YAMLError("a tab cannot indent YAML; use spaces", at: position)
        case ("found character that cannot start any token", let character?):
            return YAMLError("text that begins with '\(character)' needs quotes", at: position)
        case ("did not find expected alphabetic or numeric character", _):
            return YAMLError("text that begins with '*', '&' or '!' needs quotes", at: YAMLPosition(state.context_mark))
        case (_, "{"?) where character(before: position) == "$":
            return YAMLError("'${NAME}' needs quotes inside of brackets and braces", at: position)
        case ("did not find expected node content", ":"?) where hasBracket(before: position),
            ("did not find expected key", ":"?) where hasBracket(before: position):
            return YAMLError("this is not YAML; an IPv6 address needs quotes, as in '[::1]:8000'", at: position)
        default: return failure(problem, at: position)
        }
    }

    /// The fault belongs to a list, mapping or text that has begun before.
    private func failure(_ problem: String, at position: YAMLPosition) -> YAMLError {
        let context = parser.pointee.context.map { String(cString: $0) } ?? ""
        let beginning = YAMLPosition(parser.pointee.context_mark)
        switch (context, problem) {
        case ("while scanning a quoted scalar", "found unexpected end of stream"):
            return YAMLError("the quote is not closed", at: beginning)
        case ("while scanning a simple key", "could not find expected ':'"):
            return YAMLError("expected ':' and a value behind this key", at: beginning)
        case ("while parsing a flow sequence", _):
            return YAMLError("expected ',' or ']'", at: position, beginning: beginning)
        case ("while parsing a flow mapping", _):
            return YAMLError("expected ',' or '}'", at: position, beginning: beginning)
        case ("while parsing a block mapping", _):
            return YAMLError("expected another key; check the indentation", at: position, beginning: beginning)
        case ("while parsing a block collection", _):
            return YAMLError("expected another '-'; check the indentation", at: position, beginning: beginning)
        case (_, "mapping values are not allowed in this context"):
            return YAMLError("':' is not allowed here; check the indentation, or use quotes", at: position)
        default: return YAMLError(context.isEmpty ? problem : "\(context): \(problem)", at: position)
        }
    }

    /// Whether a bracket stands right before the position, as in front of the colon of `[::1]:8000`.
    private func hasBracket(before position: YAMLPosition) -> Bool {
        let before = character(before: position)
        return before == "[" || before == "]"
    }

    private func character(before position: YAMLPosition) -> Unicode.Scalar? {
        character(at: YAMLPosition(line: position.line, column: position.column - 1))
    }

    private func character(at position: YAMLPosition) -> Unicode.Scalar? {
        guard let line = YAMLLines(Array(input))[position.line] else { return nil }
        return String(decoding: line, as: UTF8.self).unicodeScalars.dropFirst(max(position.column - 1, 0)).first
    }
}

extension YAMLPosition {
    /// libyaml counts from 0.
    init(_ mark: yaml_mark_t) {
        self.init(line: mark.line + 1, column: mark.column + 1)
    }
}
