import EventLoop
import Network
import Upstream

/// A way to an app on this machine, with open connections in its pool.
final class KeptConnections {
    let app: AppConnections
    private let listener: ListeningSocket
    private let loop: EventLoop

    init(count: Int) throws {
        loop = try EventLoop()
        listener = try ListeningSocket(on: .ip(.loopbackV4, port: 0))
        guard let address = listener.localAddress else { throw SystemError("getsockname") }
        let limits = AppConnections.Limits(
            connector: Connector.Limits(hold: .zero, connectTimeout: .seconds(1)),
            pool: ConnectionPool.Limits(idle: 32, idleTimeout: .seconds(3600)))
        app = try AppConnections(
            to: [address], limits: limits, hold: HoldCoordinator { _, _ in }, admission: nil,
            member: AdmissionQueue.Member(worker: 0), on: loop)
        var connections: [AppConnection] = []
        let requests = (0..<count).map { _ in
            app.connect { if case .connected(let connection) = $0 { connections.append(connection) } }
        }
        withExtendedLifetime(requests) {
            while connections.count < count { loop.runOnce() }
        }
        for connection in connections { app.giveBack(connection) }
    }

    var hits: Int { app.pool?.counters.hits ?? 0 }
}
