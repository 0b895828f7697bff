internal import CLibYAML

extension YAMLNode {
    /// The tree as a YAML document, one key or item a line, with quotes where the text needs them.
    /// - Throws: ``YAMLError`` when there is no memory.
    public var yamlText: String {
        get throws(YAMLError) {
            var output: [UInt8] = []
            try withUnsafeMutablePointer(to: &output) { (output) throws(YAMLError) in
                let emitter = YAMLEmitter(appendingTo: output)
                try emitter.emit(self)
            }
            return String(decoding: output, as: UTF8.self)
        }
    }
}

/// Hands a tree to libyaml's emitter.
private struct YAMLEmitter: ~Copyable {
    /// On the heap, so that it stays where it is between the calls.
    private let emitter: UnsafeMutablePointer<yaml_emitter_t>
    /// 0 where libyaml had no memory to begin with.
    private let beginning: CInt

    /// - Parameter output: must outlive this value.
    init(appendingTo output: UnsafeMutablePointer<[UInt8]>) {
        emitter = .allocate(capacity: 1)
        emitter.initialize(to: yaml_emitter_t())
        beginning = yaml_emitter_initialize(emitter)
        guard beginning == 1 else { return }
        yaml_emitter_set_encoding(emitter, YAML_UTF8_ENCODING)
        yaml_emitter_set_unicode(emitter, 1)
        yaml_emitter_set_indent(emitter, 2)
        // No line is folded: a path stays in one piece.
        yaml_emitter_set_width(emitter, -1)
        yaml_emitter_set_output(
            emitter,
            { output, bytes, count in
                output?.assumingMemoryBound(to: [UInt8].self).pointee
                    .append(contentsOf: UnsafeBufferPointer(start: bytes, count: count))
                return 1
            }, output)
    }

    deinit {
        yaml_emitter_delete(emitter)
        emitter.deallocate()
    }

    func emit(_ root: YAMLNode) throws(YAMLError) {
        try check(beginning)
        var event = yaml_event_t()
        try check(yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING))
        try send(&event)
        try check(yaml_document_start_event_initialize(&event, nil, nil, nil, 1))
        try send(&event)
        try emitNode(root)
        try check(yaml_document_end_event_initialize(&event, 1))
        try send(&event)
        try check(yaml_stream_end_event_initialize(&event))
        try send(&event)
    }

    private func emitNode(_ node: YAMLNode) throws(YAMLError) {
        var event = yaml_event_t()
        switch node.content {
        case .scalar(var text, let style):
            let wanted = style == .plain ? YAML_PLAIN_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE
            let result = text.withUTF8 { bytes in
                yaml_scalar_event_initialize(&event, nil, nil, bytes.baseAddress, CInt(bytes.count), 1, 1, wanted)
            }
            try check(result)
            try send(&event)
        case .sequence(let items):
            let style = items.isEmpty ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE
            try check(yaml_sequence_start_event_initialize(&event, nil, nil, 1, style))
            try send(&event)
            for item in items { try emitNode(item) }
            try check(yaml_sequence_end_event_initialize(&event))
            try send(&event)
        case .mapping(let entries):
            let style = entries.isEmpty ? YAML_FLOW_MAPPING_STYLE : YAML_BLOCK_MAPPING_STYLE
            try check(yaml_mapping_start_event_initialize(&event, nil, nil, 1, style))
            try send(&event)
            for entry in entries {
                try emitNode(entry.key)
                try emitNode(entry.value)
            }
            try check(yaml_mapping_end_event_initialize(&event))
            try send(&event)
        }
    }

    /// The emitter takes the event over and frees what is inside.
    private func send(_ event: inout yaml_event_t) throws(YAMLError) {
        try check(yaml_emitter_emit(emitter, &event))
    }

    /// Valid UTF-8 and properly nested events, as this type sends, leave the lack of memory as the only failure.
    private func check(_ result: CInt) throws(YAMLError) {
        guard result == 1 else { throw .outOfMemory }
    }
}
