internal import Configuration
internal import EventLoop
internal import Glibc
internal import Network

/// The sockets of a listener, freshly opened, on their way to the workers.
struct OpenedSockets {
    enum Sockets {
        /// A socket for each worker; the kernel deals clients out among them (SO_REUSEPORT).
        case ofEachWorker([Handoff<ListeningSocket>])
        /// One socket on which all workers accept, each with a descriptor of its own. The holder keeps the file of a Unix socket
        /// that this process has opened.
        case shared([Handoff<ListeningSocket>], UnixSocketHolder?)
        /// A socket for each worker; the kernel deals clients out among them.
        case forDatagrams([Handoff<DatagramSocket>])
    }

    let sockets: Sockets
    /// The address that they are bound to. With port 0 the kernel has chosen one.
    let address: SocketAddress
    /// The sockets' inodes: one for each worker, or one for all.
    let inodes: [UInt64]

    private init(_ sockets: Sockets, boundTo address: SocketAddress, _ inodes: [UInt64]) {
        self.sockets = sockets
        self.address = address
        self.inodes = inodes
    }

    /// Opens what a listener needs; closes everything again where that fails.
    init(for listener: ListenerSet.Listener, workers: Int) throws(SystemError) {
        if let socket = listener.inherited {
            self = try Self.taking(socket, for: listener, workers)
        } else if case .unix(let path) = listener.address, listener.transport.takesUnixSockets {
            self = try Self.unixSocket(at: path, for: listener, workers)
        } else {
            self = try listener.transport.openSockets(on: listener.address, workers: workers)
        }
    }

    /// Opens a listening socket for each worker.
    init(forConnectionsOn wanted: SocketAddress, workers: Int) throws(SystemError) {
        let first = try ListeningSocket(on: wanted)
        let address = first.localAddress ?? wanted
        var inodes = [first.inode]
        var sockets = [Handoff(first)]
        for _ in 1..<workers {
            let further = try ListeningSocket(on: address, sharing: .further)
            inodes.append(further.inode)
            sockets.append(Handoff(further))
        }
        self.init(.ofEachWorker(sockets), boundTo: address, inodes)
    }

    /// Opens a socket for datagrams for each worker.
    init(forDatagramsOn wanted: SocketAddress, workers: Int) throws(SystemError) {
        let first = try DatagramSocket(listeningOn: wanted)
        let address = first.localAddress ?? wanted
        var inodes = [first.inode]
        var sockets = [Handoff(first)]
        for _ in 1..<workers {
            let further = try DatagramSocket(listeningOn: address, sharing: .further)
            inodes.append(further.inode)
            sockets.append(Handoff(further))
        }
        self.init(.forDatagrams(sockets), boundTo: address, inodes)
    }

    /// Opens a Unix socket, which cannot be split among workers as a port can.
    private static func unixSocket(
        at path: String, for listener: ListenerSet.Listener, _ workers: Int
    ) throws(SystemError) -> Self {
        let socket = try UnixListeningSocket(at: path, access: listener.access ?? UnixSocketAccess())
        var sockets: [Handoff<ListeningSocket>] = []
        for _ in 0..<workers { sockets.append(Handoff(ListeningSocket(owning: try socket.duplicate()))) }
        let inodes = [socket.inode]
        return Self(.shared(sockets, UnixSocketHolder(socket)), boundTo: listener.address, inodes)
    }

    /// Takes an inherited socket, which is never closed: clients that wait in it at the end are for the process that has it next.
    private static func taking(
        _ socket: InheritedSocket, for listener: ListenerSet.Listener, _ workers: Int
    ) throws(SystemError) -> Self {
        guard listener.transport.objection(to: socket) == nil else { throw SystemError("accept", code: EINVAL) }
        var sockets: [Handoff<ListeningSocket>] = []
        var inode: UInt64 = 0
        for _ in 0..<workers {
            let copy = try socket.listener()
            inode = copy.inode
            sockets.append(Handoff(copy))
        }
        return Self(.shared(sockets, nil), boundTo: listener.address, [inode])
    }
}
