extension ResponseHead {
    /// Returns the form in which the body goes to the client.
    public func output(for client: ResponseForwarding) -> BodyOutput {
        switch (framing, client.clientVersion) {
        case (.chunked, .http10): .payloadOnly
        case (.untilClose, .http11) where !client.closes: .inChunks
        default: .sameFraming
        }
    }

    /// Writes the head as the client is to see it, always in HTTP/1.1. Order, case and duplicates of the fields stay; what
    /// belongs to the connection to the app is left out (RFC 9110 section 7.6.1).
    /// - Parameters:
    ///   - bytes: those that the head was parsed from.
    ///   - output: the bytes that the head is appended to.
    public func write(_ bytes: Span<UInt8>, for client: ResponseForwarding, into output: inout [UInt8]) {
        output.reserveCapacity(output.count + length + 128)
        // RFC 9110 section 8.6: no Content-Length, and RFC 9112 section 6.1: no Transfer-Encoding.
        let dropsFraming = status < 200 || status == 204
        var copy = writeStatusLine(bytes, into: &output)
        for field in fields {
            switch field.name {
            case .connection, .keepAlive, .proxyConnection, .te, .http2Settings, .proxyAuthenticate:
                copy.drop(field, bytes, into: &output)
            case .upgrade:
                if !switchesProtocols { copy.drop(field, bytes, into: &output) }
            case .trailer:
                if client.clientVersion == .http10 { copy.drop(field, bytes, into: &output) }
            case .contentLength:
                if dropsFraming {
                    copy.drop(field, bytes, into: &output)
                } else {
                    copy.copyFraming(field, bytes, into: &output)
                }
            case .transferEncoding:
                if dropsFraming || client.clientVersion == .http10 {
                    copy.drop(field, bytes, into: &output)
                } else {
                    copy.copyFraming(field, bytes, into: &output)
                }
            case .other where !connection.namesFields:
                break
            default:
                if connection.namesFields, ConnectionOptions.name(field, in: fields, of: bytes) {
                    copy.drop(field, bytes, into: &output)
                } else {
                    client.rewriting?.rewrite(field, bytes, &copy, into: &output)
                }
            }
        }
        copy.finish(at: length - 2, bytes, into: &output)
        if self.output(for: client) == .inChunks { output += Text.transferEncodingChunked }
        if switchesProtocols {
            output += Text.connectionUpgrade
        } else if !isInformational {
            if client.closes {
                output += Text.connectionClose
            } else if client.clientVersion == .http10 {
                output += Text.connectionKeepAlive
            }
        }
        output += Text.lineEnd
    }

    /// A line without the blank before its empty reason gets it.
    private func writeStatusLine(_ bytes: Span<UInt8>, into output: inout [UInt8]) -> HeadCopy {
        if version == .http11, reasonRange.lowerBound == 13 { return HeadCopy(from: 0) }
        output += Text.startOfStatusLine
        output.append(decimal: UInt64(status))
        output.append(.space)
        output.append(bytes, reasonRange)
        output += Text.lineEnd
        return HeadCopy(from: fieldsStart)
    }
}
