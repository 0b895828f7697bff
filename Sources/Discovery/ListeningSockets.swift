public import EventLoop
public import Network

/// Who listens in this network namespace, as the kernel tells everybody.
public enum ListeningSockets {
    /// All listening TCP sockets at this moment: from the kernel's socket diagnostics, or where those are refused, from
    /// /proc/net/tcp and tcp6 (proc(5)). Not for a worker's loop.
    /// - Throws: ``SystemError`` when neither can be read, as in a process without descriptors to spare: that says
    ///   nothing about who listens.
    public static func current() throws(SystemError) -> [ListeningEndpoint] {
        do throws(SystemError) {
            return try SocketDiagnostics.listening()
        } catch {
            let tables = ["/proc/net/tcp", "/proc/net/tcp6"].compactMap { Descriptor.contents(of: $0) }
            if tables.isEmpty { throw error }
            return tables.flatMap(parse)
        }
    }

    /// The state "listening" in these tables (TCP_LISTEN in the kernel's tcp_states.h).
    private static let listening = "0A"

    static func parse(_ table: String) -> [ListeningEndpoint] {
        table.split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: " ", omittingEmptySubsequences: true)
            guard fields.count > 9, fields[3] == listening, let inode = UInt64(fields[9]) else { return nil }
            let parts = fields[1].split(separator: ":")
            guard parts.count == 2, let address = address(parts[0]), let port = UInt16(parts[1], radix: 16)
            else { return nil }
            return ListeningEndpoint(address: address, port: port, inode: inode)
        }
    }

    /// Each group of 32 bits stands in the order of the machine's bytes: on this one, 127.0.0.1 is 0100007F.
    private static func address(_ digits: Substring) -> IPAddress? {
        guard digits.utf8.count == 8 || digits.utf8.count == 32 else { return nil }
        let words = stride(from: 0, to: digits.count, by: 8).compactMap { offset in
            UInt32(digits.dropFirst(offset).prefix(8), radix: 16).map { UInt32(bigEndian: $0) }
        }
        switch words.count {
        case 1: return .v4(words[0])
        case 4:
            return .v6(UInt64(words[0]) << 32 | UInt64(words[1]), UInt64(words[2]) << 32 | UInt64(words[3]))
        default: return nil
        }
    }
}
