internal import CLibYAML

extension YAMLNode {
    /// The tree as a YAML document, one key or item a line, with quotes where the text needs them.
    public var yamlText: String {
        var output: [UInt8] = []
        withUnsafeMutablePointer(to: &output) { output in
            let emitter = YAMLEmitter(appendingTo: output)
            emitter.emit(self)
        }
        return String(decoding: output, as: UTF8.self)
    }
}

/// Hands a tree to libyaml's emitter.
private struct YAMLEmitter: ~Copyable {
    /// On the heap, so that it stays where it is between the calls.
    private let emitter: UnsafeMutablePointer<yaml_emitter_t>

    /// - Parameter output: must outlive this value.
    init(appendingTo output: UnsafeMutablePointer<[UInt8]>) {
        emitter = .allocate(capacity: 1)
        emitter.initialize(to: yaml_emitter_t())
        check(yaml_emitter_initialize(emitter))
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

    func emit(_ root: YAMLNode) {
        var event = yaml_event_t()
        check(yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING))
        send(&event)
        check(yaml_document_start_event_initialize(&event, nil, nil, nil, 1))
        send(&event)
        emitNode(root)
        check(yaml_document_end_event_initialize(&event, 1))
        send(&event)
        check(yaml_stream_end_event_initialize(&event))
        send(&event)
    }

    private func emitNode(_ node: YAMLNode) {
        var event = yaml_event_t()
        switch node.content {
        case .scalar(var text, let style):
            let wanted = style == .plain ? YAML_PLAIN_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE
            text.withUTF8 { bytes in
                check(
                    yaml_scalar_event_initialize(
                        &event, nil, nil, bytes.baseAddress, CInt(bytes.count), 1, 1, wanted))
            }
            send(&event)
        case .sequence(let items):
            let style = items.isEmpty ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE
            check(yaml_sequence_start_event_initialize(&event, nil, nil, 1, style))
            send(&event)
            for item in items { emitNode(item) }
            check(yaml_sequence_end_event_initialize(&event))
            send(&event)
        case .mapping(let entries):
            let style = entries.isEmpty ? YAML_FLOW_MAPPING_STYLE : YAML_BLOCK_MAPPING_STYLE
            check(yaml_mapping_start_event_initialize(&event, nil, nil, 1, style))
            send(&event)
            for entry in entries {
                emitNode(entry.key)
                emitNode(entry.value)
            }
            check(yaml_mapping_end_event_initialize(&event))
            send(&event)
        }
    }

    /// The emitter takes the event over and frees what is inside.
    private func send(_ event: inout yaml_event_t) {
        check(yaml_emitter_emit(emitter, &event))
    }

    /// Valid UTF-8 and properly nested events, as this type sends, leave the lack of memory as the only failure.
    private func check(_ result: CInt) {
        precondition(result == 1, "libyaml is out of memory")
    }
}
