internal import Configuration
internal import EventLoop
internal import Network

extension ListenError {
    /// Nobody has passed such a socket.
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

    /// A socket that was passed cannot be used.
    init(taking socket: InheritedSocket, over transport: RouteProtocol.Transport, _ error: SystemError) {
        let reason = transport.objection(to: socket) ?? error.reason
        self.init("cannot listen on the inherited socket \(socket.described): \(reason)")
    }
}

extension InheritedSocket {
    /// `web (0.0.0.0:8080)`, for messages.
    var described: String {
        address.map { "\(name) (\($0))" } ?? "\(name) (descriptor \(number))"
    }
}
