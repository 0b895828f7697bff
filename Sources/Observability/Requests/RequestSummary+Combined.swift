internal import Network

extension RequestSummary {
    /// Adds the line in Combined Log Format, as Apache writes it, with what that has no place for behind it:
    ///
    /// ```
    /// 172.17.0.5 - - [21/Nov/2026:09:07:15 +0000] "GET / HTTP/1.1" 200 512 "-" "curl/8.5" route="web" upstream=… end="finished"
    /// ```
    func writeCombined(at time: Timestamp, into line: inout [UInt8]) {
        line.append(client.ipAddress?.description ?? "unix:")
        line.append(" - ")
        if let user { line.append(logItem: user.utf8) } else { line.append("-") }
        line.append(" [")
        time.write(.commonLog, into: &line)
        line.append("] \"")
        writeRequestLine(into: &line)
        line.append("\" ")
        if let status { line.append(number: status) } else { line.append("-") }
        line.append(" ")
        if bytesToClient > 0 { line.append(number: bytesToClient) } else { line.append("-") }
        line.append(" \"")
        Self.write(request.referer, into: &line)
        line.append("\" \"")
        Self.write(request.userAgent, into: &line)
        line.append("\"")
        writeFields(into: &line)
    }

    private func writeRequestLine(into line: inout [UInt8]) {
        guard !request.method.isEmpty || !request.target.isEmpty else { return line.append("-") }
        line.append(logItem: request.method)
        line.append(" ")
        line.append(logItem: request.target)
        // HTTP/0.9 has none, and is refused.
        guard !request.version.isEmpty else { return }
        line.append(" ")
        line.append(logItem: request.version)
    }

    private static func write(_ value: ArraySlice<UInt8>, into line: inout [UInt8]) {
        if value.isEmpty { line.append("-") } else { line.append(logItem: value) }
    }

    private func writeFields(into line: inout [UInt8]) {
        line.append(" route=\"")
        line.append(logItem: route.utf8)
        line.append("\"")
        if let upstream {
            line.append(" upstream=")
            Self.write(upstream, into: &line)
        }
        if let source {
            line.append(" source=")
            Self.write(source, into: &line)
        }
        if isReused { line.append(" reused=true") }
        if bytesToApp > 0 {
            line.append(" to_app=")
            line.append(number: bytesToApp)
        }
        times.forEach { name, time in
            line.append(" ")
            line.append(name)
            line.append("=")
            line.append(milliseconds: time)
        }
        line.append(" end=\"")
        line.append(logItem: end.utf8)
        line.append("\"")
    }

    /// A Unix socket's path may be anything; an IP address is plain.
    private static func write(_ address: SocketAddress, into line: inout [UInt8]) {
        guard case .unix(let path) = address else { return line.append(address) }
        line.append("\"unix:")
        line.append(logItem: path.utf8)
        line.append("\"")
    }
}

extension RequestSummary.Times {
    /// Goes through those that there are, with the names that they have in the log.
    func forEach(_ body: (String, Duration) -> Void) {
        if let queue { body("queue_ms", queue) }
        if let connect { body("connect_ms", connect) }
        if let firstByte { body("first_byte_ms", firstByte) }
        body("total_ms", total)
    }
}
