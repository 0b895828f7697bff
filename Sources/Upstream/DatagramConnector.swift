public import EventLoop
internal import Glibc
public import Network

/// Opens the sockets through which one worker's clients of one route speak with the app by UDP.
///
/// Nothing answers a UDP socket's connect(2), so the app counts as there until its kernel refuses a datagram (ICMP); from
/// then on the next of its addresses is the first to be tried. Belongs to its loop's thread.
public final class DatagramConnector {
    private let candidates: [SocketAddress]
    public let sources: LoopbackSources
    /// The candidate that has not refused, as far as is known.
    private var preferred = 0

    /// - Parameter candidates: the app's addresses, in the order in which to try them.
    public init(to candidates: [SocketAddress], sources: LoopbackSources) {
        self.candidates = candidates
        self.sources = sources
    }

    /// The number of addresses that the app may have.
    public var candidateCount: Int { candidates.count }

    /// A socket to the app, and where it leads.
    public struct Connection: ~Copyable {
        public let socket: DatagramSocket
        public let address: SocketAddress
        public let candidate: Int

        /// Takes the socket out.
        public consuming func takeSocket() -> DatagramSocket { socket }
    }

    /// Opens a socket to the app where it was last.
    /// - Parameter client: for whom.
    /// - Throws: ``SystemError`` when there is none to be had: EMFILE, EADDRNOTAVAIL where no port is left, and so on.
    public func open(for client: IPAddress?) throws(SystemError) -> Connection {
        let address = candidates[preferred]
        var source = sources.source(for: client, to: address)
        while true {
            do throws(SystemError) {
                let socket = try DatagramSocket(connectedTo: address, from: source.address)
                sources.connected(to: address)
                return Connection(socket: socket, address: address, candidate: preferred)
            } catch {
                guard let other = sources.replacement(of: source, after: error, for: client, to: address) else {
                    if error.code == EADDRNOTAVAIL { sources.isOutOfPorts(to: address) }
                    throw error
                }
                source = other
            }
        }
    }

    /// The app's kernel has refused a datagram: it does not listen there.
    public func refused(_ candidate: Int) {
        guard candidate == preferred else { return }
        preferred = (preferred + 1) % candidates.count
    }
}
