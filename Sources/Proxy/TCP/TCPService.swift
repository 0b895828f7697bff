/// Serves a route with `protocol: tcp`.
final class TCPService: StreamService {
    func makeSession(_ connection: consuming ClientConnection) -> any Session { TCPSession(connection) }

    func shortestTimeout(on route: WorkerRoute) -> Duration? { nil }

    func shrink() {}
}
