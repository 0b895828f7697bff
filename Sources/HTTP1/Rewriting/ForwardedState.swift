/// The fields about the client that a request has already, which decide what is extended and what is written anew.
struct ForwardedState {
    private var lastFor: HeadField?
    private var lastForwarded: HeadField?
    private var hasProto = false
    private var hasHost = false

    /// Takes none of those of a sender that is not trusted.
    init(_ head: RequestHead, _ sender: Sender) {
        guard sender.isTrusted else { return }
        for field in head.fields {
            switch field.name {
            case .forwardedFor: lastFor = field
            case .forwarded: lastForwarded = field
            case .forwardedProto: hasProto = true
            case .forwardedHost: hasHost = true
            default: break
            }
        }
    }

    /// Adds the sender to the last field of a kind that lists everybody on the way.
    func extend(
        _ field: HeadField, of head: RequestHead, _ bytes: Span<UInt8>, _ sender: Sender, _ copy: inout HeadCopy,
        into output: inout [UInt8]
    ) {
        guard field == lastFor || field == lastForwarded else { return }
        let end = field.valueRange.upperBound
        copy.replace(end..<field.lineRange.upperBound - 2, bytes, into: &output)
        if !field.valueRange.isEmpty { output += Text.separator }
        if field.name == .forwardedFor {
            output += sender.address
        } else {
            writeElement(of: head, bytes, sender, into: &output)
        }
    }

    /// Writes the fields that are missing. If a trusted sender speaks only one of the two languages, the other is not begun: it
    /// would name the sender as the client.
    func writeMissing(of head: RequestHead, _ bytes: Span<UInt8>, _ sender: Sender, into output: inout [UInt8]) {
        if let host = head.hostRange, lastFor == nil, lastForwarded == nil, !hasProto, !hasHost {
            let (first, second) = sender.hostPlaces
            output += sender.fields[..<first]
            output.append(bytes, host)
            output += sender.fields[first..<second]
            writeHost(bytes, host, into: &output)
            output += sender.fields[second...]
            return
        }
        let hasOldFields = lastFor != nil || hasProto || hasHost
        if lastForwarded == nil || hasOldFields {
            if lastFor == nil {
                output += Text.forwardedFor
                output += sender.address
                output += Text.lineEnd
            }
            if !hasProto {
                output += Text.forwardedProto
                output += sender.scheme.text
                output += Text.lineEnd
            }
            if !hasHost, let host = head.hostRange {
                output += Text.forwardedHost
                output.append(bytes, host)
                output += Text.lineEnd
            }
        }
        if lastForwarded == nil, !hasOldFields {
            output += Text.forwarded
            writeElement(of: head, bytes, sender, into: &output)
            output += Text.lineEnd
        }
    }

    /// One element of Forwarded (RFC 7239 section 4).
    private func writeElement(
        of head: RequestHead, _ bytes: Span<UInt8>, _ sender: Sender, into output: inout [UInt8]
    ) {
        sender.writeElement(into: &output)
        if let host = head.hostRange {
            output += Text.forwardedHostPair
            writeHost(bytes, host, into: &output)
        }
        output += Text.forwardedProtoPair
        output += sender.scheme.text
    }

    /// A host as a value of Forwarded; nothing in it needs to be escaped.
    private func writeHost(_ bytes: Span<UInt8>, _ host: Range<Int>, into output: inout [UInt8]) {
        let isToken = bytes.endOfName(from: host.lowerBound, to: host.upperBound) == host.upperBound
        if !isToken { output.append(.quote) }
        output.append(bytes, host)
        if !isToken { output.append(.quote) }
    }
}
