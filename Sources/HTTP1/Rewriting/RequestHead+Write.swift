extension RequestHead {
    /// Writes the head as the app is to see it, always in HTTP/1.1. Order, case and duplicates of the fields stay.
    ///
    /// Left out: what belongs to the connection (RFC 9110 section 7.6.1) or to a proxy, `Proxy`, names that differ from
    /// known ones by underscores alone, and from a sender that is not trusted everything that claims who the client is.
    /// Via is not added.
    /// - Parameters:
    ///   - bytes: those that the head was parsed from.
    ///   - sender: whoever sent it to us.
    ///   - closes: whether the app is asked to close the connection after the response.
    ///   - passesExpectation: false when 100 (Continue) has been sent from here.
    ///   - output: the bytes that the head is appended to.
    public func write(
        _ bytes: Span<UInt8>, to upstream: RequestForwarding, from sender: Sender, closes: Bool = false,
        passesExpectation: Bool = true, into output: inout [UInt8]
    ) {
        output.reserveCapacity(output.count + length + 256)
        let forwarded = ForwardedState(self, sender)
        var copy = writeRequestLine(bytes, into: &output)
        if first(.host) == nil {
            copy.finish(at: fieldsStart, bytes, into: &output)
            output += Text.host
            writeHost(bytes, upstream, into: &output)
            output += Text.lineEnd
        }
        for field in fields {
            switch field.name {
            case .other where !connection.namesFields:
                break
            case .connection, .keepAlive, .proxyConnection, .te, .http2Settings, .proxyAuthorization,
                .proxyAuthenticate, .proxy, .underscored:
                copy.drop(field, bytes, into: &output)
            case .upgrade:
                if upgrade != .webSocket { copy.drop(field, bytes, into: &output) }
            case .expect:
                if !passesExpectation || !expectsContinue { copy.drop(field, bytes, into: &output) }
            case .contentLength, .transferEncoding:
                copy.copyFraming(field, bytes, into: &output)
            case .host:
                guard upstream.host != .preserve || target.isAbsolute else { continue }
                copy.replaceValue(of: field, bytes, into: &output)
                writeHost(bytes, upstream, into: &output)
            case .origin, .referer:
                if connection.namesFields, isNamed(field, bytes) {
                    copy.drop(field, bytes, into: &output)
                } else if upstream.host == .upstream, let end = endOfClientOrigin(in: field, bytes, sender) {
                    copy.replace(field.valueRange.lowerBound..<end, bytes, into: &output)
                    output += Text.httpURL
                    output += upstream.upstreamAuthority
                }
            case .forwardedFor, .forwardedProto, .forwardedHost, .forwarded, .forwardedOther, .realIP:
                guard sender.isTrusted else {
                    copy.drop(field, bytes, into: &output)
                    continue
                }
                forwarded.extend(field, of: self, bytes, sender, &copy, into: &output)
            case .clientCertificate:
                if !sender.isTrusted || !sender.certificateFields.isEmpty { copy.drop(field, bytes, into: &output) }
            default:
                if connection.namesFields, isNamed(field, bytes) { copy.drop(field, bytes, into: &output) }
            }
        }
        // Up to the empty line.
        copy.finish(at: length - 2, bytes, into: &output)
        forwarded.writeMissing(of: self, bytes, sender, into: &output)
        if !sender.certificateFields.isEmpty { output += sender.certificateFields }
        if upgrade == .webSocket {
            output += Text.connectionUpgrade
        } else if closes {
            output += Text.connectionClose
        }
        output += Text.lineEnd
    }

    private func writeRequestLine(_ bytes: Span<UInt8>, into output: inout [UInt8]) -> HeadCopy {
        if version == .http11, !target.isAbsolute { return HeadCopy(from: storedMethodRange.lowerBound) }
        output.append(bytes, storedMethodRange)
        output.append(.space)
        if case .absolute(_, _, let path) = target {
            if path.isEmpty, method == .options {
                output.append(0x2A)  // *
            } else if path.isEmpty || bytes[path.lowerBound] != .slash {
                output.append(.slash)
            }
            output.append(bytes, path)
        } else {
            output.append(bytes, storedTargetRange)
        }
        output += Text.endOfRequestLine
        return HeadCopy(from: fieldsStart)
    }

    private func writeHost(_ bytes: Span<UInt8>, _ upstream: RequestForwarding, into output: inout [UInt8]) {
        switch upstream.host {
        case .name(let name): output += name
        case .preserve where hostRange != nil: output.append(bytes, hostRange ?? 0..<0)
        case .preserve, .upstream: output += upstream.upstreamAuthority
        }
    }

    private func isNamed(_ field: HeadField, _ bytes: Span<UInt8>) -> Bool {
        ConnectionOptions.name(field, in: fields, of: bytes)
    }

    /// Returns the end of the origin with which the field's URL begins, if it is the one that the client asked us for. Either
    /// scheme counts: whoever took TLS off before us need not have said so.
    private func endOfClientOrigin(in field: HeadField, _ bytes: Span<UInt8>, _ sender: Sender) -> Int? {
        guard let url = URLStart(bytes, field.valueRange), let scheme = url.scheme,
            let range = clientAuthority(bytes, from: sender), let client = Authority(bytes, range),
            bytes.equals(url.authority.host, bytes, client.host),
            url.authority.port(bytes, default: scheme) == client.port(bytes, default: scheme)
        else { return nil }
        return url.end
    }
}

extension RequestTarget {
    var isAbsolute: Bool {
        if case .absolute = self { true } else { false }
    }
}
