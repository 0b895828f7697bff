public import EventLoop
public import Network

/// The listening sockets of this network namespace, as the kernel tells every user.
public enum ListeningSockets {
    /// Returns all listening TCP sockets at this moment: from the kernel's socket diagnostics, or from /proc/net/tcp and
    /// tcp6 (proc(5)) where those are refused. Not for a worker's loop.
    /// - Throws: ``SystemError`` when neither can be read, as in a process without descriptors to spare: that says nothing
    ///   about who listens.
    public static func current() throws(SystemError) -> [ListeningEndpoint] {
        do throws(SystemError) {
            return try SocketDiagnostics.listening()
        } catch {
            return try read(["/proc/net/tcp", "/proc/net/tcp6"], state: listening, otherwise: error)
        }
    }

    /// Returns all UDP sockets that take datagrams from everybody, in the same way.
    /// - Throws: ``SystemError`` when nothing can be read.
    public static func takingDatagrams() throws(SystemError) -> [ListeningEndpoint] {
        do throws(SystemError) {
            return try SocketDiagnostics.takingDatagrams()
        } catch {
            return try read(["/proc/net/udp", "/proc/net/udp6"], state: unconnected, otherwise: error)
        }
    }

    private static func read(
        _ paths: [String], state: String, otherwise error: SystemError
    ) throws(SystemError) -> [ListeningEndpoint] {
        let tables = paths.compactMap { Descriptor.contents(of: $0) }
        if tables.isEmpty { throw error }
        return tables.flatMap { parse($0, state: state) }
    }

    /// States in these tables (TCP_LISTEN and TCP_CLOSE in the kernel's tcp_states.h).
    private static let listening = "0A"
    private static let unconnected = "07"

    static func parse(_ table: String, state: String = listening) -> [ListeningEndpoint] {
        table.split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: " ", omittingEmptySubsequences: true)
            guard fields.count > 9, fields[3] == state, let inode = UInt64(fields[9]) else { return nil }
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
