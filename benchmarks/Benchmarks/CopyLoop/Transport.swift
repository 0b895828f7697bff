import EventLoop
import Glibc
import Network

/// What the streams go over.
enum Transport: String, CaseIterable {
    /// TCP over loopback.
    case tcp = "TCP"
    /// socketpair(2): the same calls without the cost of TCP's own work.
    case socketPair = "socket pairs"

    /// Two non-blocking sockets that are connected to each other; the caller closes them.
    func connectedPair() throws -> (CInt, CInt) {
        switch self {
        case .tcp:
            let listener = try ListeningSocket(on: .ip(.loopbackV4, port: 0))
            guard let address = listener.localAddress else { throw SystemError("getsockname") }
            let client = try Socket(toReach: address)
            while client.connect(to: address) == .inProgress {}
            while true {
                if case .accepted(let server, from: _) = listener.accept() {
                    return (
                        try Descriptor(duplicating: client.number).release(),
                        try Descriptor(duplicating: server.number).release()
                    )
                }
            }
        case .socketPair:
            var ends: [CInt] = [-1, -1]
            let kind = CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
            guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw SystemError("socketpair") }
            return (ends[0], ends[1])
        }
    }
}
