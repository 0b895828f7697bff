internal import Configuration
internal import EventLoop
internal import Network

extension ListenError {
    /// Explains that no such socket was passed to the process.
    init(_ listen: ListenAddress, among inherited: InheritedSockets) {
        let reason =
            if inherited.areForAnotherProcess {
                "LISTEN_PID is not this process, so that sockets were passed to another one; whoever starts this one in its "
                    + "place has to keep its process id, as 'exec' does"
            } else if inherited.sockets.isEmpty {
                "no socket was passed (LISTEN_FDS is not set); it takes a socket unit of systemd, or systemd-socket-activate"
            } else {
                "no socket of this name was passed, but \(inherited.sockets.map(\.described).joined(separator: ", "))"
            }
        self.init("cannot listen on \(listen): \(reason)")
    }

    /// Explains why an inherited socket cannot be used.
    init(taking socket: InheritedSocket, over transport: RouteProtocol.Transport, _ error: SystemError) {
        let reason = transport.objection(to: socket) ?? error.reason
        self.init("cannot listen on the inherited socket \(socket.described): \(reason)")
    }
}

extension InheritedSocket {
    /// The name and address for messages, as in `web (0.0.0.0:8080)`.
    var described: String {
        address.map { "\(name) (\($0))" } ?? "\(name) (descriptor \(number))"
    }
}
