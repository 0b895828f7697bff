import EventLoop
import TestSupport
import Testing

@testable import Upstream

/// Connections that are one client's, and how long they keep their place from others.
@Suite(.timeLimit(.minutes(1))) struct OwnConnectionTests {
    private func own(_ route: AppRoute, of clients: Clients, on loop: EventLoop) throws -> AppConnection {
        clients.ask(route[0], 0)
        #expect(try loop.run(until: { clients.answers[0] == .connected }))
        let connection = try clients.give(0)
        connection.isOneClients = true
        return connection
    }

    @Test func makesWayOnceItHasRestedAndSomebodyWaits() throws {
        let loop = try EventLoop()
        let app = try App()
        app.listen()
        let route = try AppRoute(
            to: app, max: 1, pool: ConnectionPool.Limits(idle: 4, idleTimeout: .seconds(2)), on: loop)
        let clients = Clients()
        let connection = try own(route, of: clients, on: loop)
        let now = MonotonicTime.coarse
        route[0].rest(connection, at: now)
        #expect(!route[0].mustMakeWay(connection, at: now.advanced(by: .seconds(100))), "nobody waits")
        clients.ask(route[0], 1)
        #expect(!route[0].mustMakeWay(connection, at: now.advanced(by: .milliseconds(1900))))
        #expect(route[0].mustMakeWay(connection, at: now.advanced(by: .seconds(2))))
        route[0].wake(connection)
        #expect(connection.isReused)
        route[0].rest(connection, at: now.advanced(by: .seconds(2)))
        #expect(!route[0].mustMakeWay(connection, at: now.advanced(by: .seconds(3))))
    }

    @Test func makesWayBeforeOthersHaveWaitedForTooLong() throws {
        let loop = try EventLoop()
        let app = try App()
        app.listen()
        let route = try AppRoute(
            to: app, max: 1, queueTimeout: .seconds(3), pool: ConnectionPool.Limits(idle: 4, idleTimeout: .seconds(60)),
            on: loop)
        #expect(route[0].longestRest == .milliseconds(1500))
    }

    @Test func makesWayWhereTheBoundWasLowered() throws {
        let loop = try EventLoop()
        let app = try App()
        app.listen()
        let route = try AppRoute(to: app, max: 1, on: loop)
        let connection = try own(route, of: Clients(), on: loop)
        route[0].rest(connection, at: .coarse)
        route.admission?.setBounds(limit: 0, length: 1)
        #expect(route[0].mustMakeWay(connection, at: MonotonicTime.coarse.advanced(by: .seconds(4))))
    }

    @Test func keepsItsPlaceWhereThereIsNoBound() throws {
        let loop = try EventLoop()
        let app = try App()
        app.listen()
        let route = try AppRoute(to: app, on: loop)
        let connection = try own(route, of: Clients(), on: loop)
        route[0].rest(connection, at: .coarse)
        #expect(!route[0].mustMakeWay(connection, at: MonotonicTime.coarse.advanced(by: .seconds(1000))))
    }
}
