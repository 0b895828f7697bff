internal import Network

extension RequestSummary {
    /// Adds the line as an object of JSON; what there is nothing to say of is left out.
    func writeJSON(at time: Timestamp, into line: inout [UInt8]) {
        line.append("{\"time\":\"")
        time.write(.rfc3339, into: &line)
        line.append("\",\"level\":\"info\",\"part\":\"access\",\"message\":\"request\",\"client\":")
        Self.write(client, into: &line)
        if let user {
            line.append(",\"user\":")
            line.append(json: user.utf8)
        }
        line.append(",\"route\":")
        line.append(json: route.utf8)
        Self.write(",\"method\":", request.method, into: &line)
        Self.write(",\"target\":", request.target, into: &line)
        Self.write(",\"protocol\":", request.version, into: &line)
        if let status {
            line.append(",\"status\":")
            line.append(number: status)
        }
        line.append(",\"to_app\":")
        line.append(number: bytesToApp)
        line.append(",\"to_client\":")
        line.append(number: bytesToClient)
        if let upstream {
            line.append(",\"upstream\":")
            Self.write(upstream, into: &line)
            line.append(isReused ? ",\"reused\":true" : ",\"reused\":false")
        }
        if let source {
            line.append(",\"source\":")
            Self.write(source, into: &line)
        }
        times.forEach { name, time in
            line.append(",\"")
            line.append(name)
            line.append("\":")
            line.append(milliseconds: time)
        }
        Self.write(",\"referer\":", request.referer, into: &line)
        Self.write(",\"user_agent\":", request.userAgent, into: &line)
        line.append(",\"end\":")
        line.append(json: end.utf8)
        line.append("}")
    }

    private static func write(_ key: String, _ value: ArraySlice<UInt8>, into line: inout [UInt8]) {
        guard !value.isEmpty else { return }
        line.append(key)
        line.append(json: value)
    }

    private static func write(_ address: SocketAddress, into line: inout [UInt8]) {
        guard case .ip = address else { return line.append(json: address.description.utf8) }
        line.append("\"")
        line.append(address)
        line.append("\"")
    }
}
