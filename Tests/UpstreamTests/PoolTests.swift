import EventLoop
import Network
import TestSupport
import Testing

@testable import Upstream

@Suite(.timeLimit(.minutes(1))) struct PoolTests {
    // MARK: Reuse

    private static let reuse = ConnectionPool.Limits(idle: 2, idleTimeout: .milliseconds(300), maxRequests: 3)

    /// Gives a client a connection and takes it back at once.
    private func use(_ app: AppConnections, _ clients: Clients, _ number: Int, on loop: EventLoop) throws
        -> AppConnection
    {
        clients.ask(app, number)
        #expect(try loop.run(until: { clients.answers[number] != nil }))
        let connection = try #require(clients.connections[number])
        clients.connections[number] = nil
        return connection
    }

    @Test func whatIsGivenBackIsUsedAgainAsOftenAsItMay() throws {
        let loop = try EventLoop()
        let app = try App()
        app.listen()
        let route = try AppRoute(to: app, pool: Self.reuse, on: loop)
        let clients = Clients()
        for number in 0..<6 {
            let connection = try use(route[0], clients, number, on: loop)
            #expect(connection.isReused == (number % 3 != 0))
            route[0].giveBack(connection)
        }
        #expect(app.accept() == 2)
        #expect(route[0].pool?.counters == .init(hits: 4, reuses: 4, misses: 2, evictions: 2))
    }

    @Test func theLastOneBackIsTheFirstToGo() throws {
        let loop = try EventLoop()
        let app = try App()
        app.listen()
        let route = try AppRoute(to: app, pool: Self.reuse, on: loop)
        let clients = Clients()
        for number in 0..<3 { clients.ask(route[0], number) }
        #expect(try loop.run(until: { clients.order.count == 3 }))
        let connections = (0..<3).compactMap { clients.connections.removeValue(forKey: $0) }
        for connection in connections { route[0].giveBack(connection) }
        // There is room for two, and the oldest one had to go.
        #expect(route[0].pool?.count == 2)
        for (number, expected) in [(3, 2), (4, 1)] {
            #expect(try use(route[0], clients, number, on: loop) === connections[expected])
        }
    }

    @Test func idleOnesAgeOut() throws {
        let loop = try EventLoop()
        let app = try App()
        app.listen()
        let route = try AppRoute(to: app, pool: Self.reuse, on: loop)
        let clients = Clients()
        route[0].giveBack(try use(route[0], clients, 0, on: loop))
        #expect(app.connectionsOpen == 1)
        #expect(try loop.run(until: { route[0].pool?.count == 0 }, atMost: .seconds(3)))
        #expect(app.connectionsOpen == 0)
        #expect(route[0].pool?.counters.evictions == 1)
    }

    @Test(arguments: [true, false]) func whatTheAppEndsOrSpeaksOnIsNeverHandedOut(speaks: Bool) throws {
        let loop = try EventLoop()
        let app = try App()
        app.listen()
        let route = try AppRoute(to: app, pool: Self.reuse, on: loop)
        let clients = Clients()
        for isNoticed in [true, false] {
            let number = clients.order.count
            let connection = try use(route[0], clients, number, on: loop)
            let index = app.accept() - 1
            route[0].giveBack(connection)
            #expect(route[0].pool?.count == 1)
            if speaks { app.say("unasked", on: index) } else { app.end(index) }
            // Either the loop tells of it, or the kernel is asked when the next client comes.
            if isNoticed { #expect(try loop.run(until: { route[0].pool?.count == 0 })) }
            let next = try use(route[0], clients, number + 1, on: loop)
            #expect(next !== connection && !next.isReused)
        }
        #expect(route[0].pool?.counters.stale == 2)
    }

    // MARK: Spares

    @Test func sparesAreOpenedAheadOneByOneAndReplaced() throws {
        let loop = try EventLoop()
        let app = try App()
        app.listen()
        let route = try AppRoute(to: app, pool: ConnectionPool.Limits(spare: 3), on: loop)
        #expect(try loop.run(until: { route[0].pool?.count == 3 }))
        #expect(app.accept() == 3)
        let clients = Clients()
        clients.ask(route[0], 0)
        // At once, and before the loop has turned.
        #expect(clients.answers == [0: .connected])
        #expect(clients.connections[0]?.isReused == false)
        #expect(try loop.run(until: { route[0].pool?.count == 3 }))
        #expect(app.accept() == 4)
        #expect(route[0].pool?.counters == .init(hits: 1))
    }

    @Test func whatTheAppSaysFirstIsTheClients() throws {
        let loop = try EventLoop()
        let app = try App()
        app.listen()
        let route = try AppRoute(to: app, pool: ConnectionPool.Limits(spare: 1), on: loop)
        #expect(try loop.run(until: { route[0].pool?.count == 1 }))
        app.accept()
        app.say("220 ready", on: 0)
        // Also once the loop has told of it.
        for _ in 0..<5 { loop.runOnce() }
        let clients = Clients()
        clients.ask(route[0], 0)
        let connection = try #require(clients.connections[0])
        var buffer = [UInt8](repeating: 0, count: 100)
        let result = buffer.withUnsafeMutableBytes { connection.socket.socket.receive(into: $0) }
        #expect(result == .moved(9))
        #expect(String(decoding: buffer.prefix(9), as: UTF8.self) == "220 ready")
        #expect(connection.socket.unusedReadiness.contains(.readable))
    }

    @Test(arguments: [true, false]) func aSpareThatTheAppEndsIsNotHandedOut(speaksBefore: Bool) throws {
        let loop = try EventLoop()
        let app = try App()
        app.listen()
        let route = try AppRoute(to: app, pool: ConnectionPool.Limits(spare: 1), on: loop)
        #expect(try loop.run(until: { route[0].pool?.count == 1 }))
        app.accept()
        if speaksBefore { app.say("421 too slow", on: 0) }
        app.end(0)
        let clients = Clients()
        clients.ask(route[0], 0)
        #expect(try loop.run(until: { clients.answers[0] == .connected }))
        #expect(clients.connections[0]?.socket.socket.idleState == .quiet)
        #expect(route[0].pool?.counters.stale == 1)
    }

    @Test func nothingIsOpenedUntilTheNextClientComes() throws {
        let loop = try EventLoop()
        let app = try App()
        let route = try AppRoute(to: app, pool: ConnectionPool.Limits(spare: 2), on: loop)
        // Refused, once.
        #expect(try loop.run(until: { route.hold.health.isDown }))
        app.listen()
        let start = MonotonicTime.now
        _ = try loop.run(until: { MonotonicTime.now.since(start) > .milliseconds(300) })
        #expect(app.accept() == 0)
        let clients = Clients()
        clients.ask(route[0], 0)
        #expect(try loop.run(until: { route[0].pool?.count == 2 }))
        #expect(route.hold.health.isUp)
        // An app that ends its silent connections is left alone.
        app.accept()
        app.end(1)
        app.end(2)
        #expect(try loop.run(until: { route[0].pool?.count == 0 }))
        let later = MonotonicTime.now
        _ = try loop.run(until: { MonotonicTime.now.since(later) > .milliseconds(300) })
        #expect(app.accept() == 3)
    }

    @Test func allIsDroppedWhenTheAppHasGone() throws {
        let loop = try EventLoop()
        let app = try App()
        app.listen()
        let route = try AppRoute(to: app, workers: 2, pool: ConnectionPool.Limits(spare: 2), on: loop)
        #expect(try loop.run(until: { route[0].pool?.count == 2 && route[1].pool?.count == 2 }))
        // It takes no more connections, and leaves open those that it has: they belong to its former life.
        app.stopListening()
        let clients = Clients()
        clients.ask(route[0], 0)
        #expect(clients.answers[0] == .connected)
        #expect(try loop.run(until: { route[0].pool?.count == 0 }))
        clients.ask(route[1], 1)
        #expect(clients.answers[1] == nil)
        #expect(route[1].pool?.count == 0)
        app.listen()
        #expect(try loop.run(until: { clients.answers[1] == .connected }))
    }

    @Test func drainingClosesThemAndOpensNoMore() throws {
        let loop = try EventLoop()
        let app = try App()
        app.listen()
        let route = try AppRoute(to: app, max: 5, pool: ConnectionPool.Limits(spare: 2), on: loop)
        #expect(try loop.run(until: { route[0].pool?.count == 2 }))
        route[0].drain()
        #expect(route[0].pool?.count == 0 && route.used == 0)
        let clients = Clients()
        clients.ask(route[0], 0)
        #expect(try loop.run(until: { clients.answers[0] == .connected }))
        for _ in 0..<5 { loop.runOnce() }
        #expect(app.accept() == 3)
        #expect(route.used == 1)
    }

    // MARK: Places

    @Test func sparesLeaveTheLastPlacesToClients() throws {
        let loop = try EventLoop()
        let app = try App()
        app.listen()
        let route = try AppRoute(to: app, workers: 2, max: 3, pool: ConnectionPool.Limits(spare: 4), on: loop)
        #expect(try loop.run(until: { route.used == 3 }))
        // Clients of one worker get all places, those too that the other one's spares have.
        let clients = Clients()
        for number in 0..<4 { clients.ask(route[1], number) }
        #expect(try loop.run(until: { clients.order.count == 3 }))
        for _ in 0..<5 { loop.runOnce() }
        #expect(route.used == 3 && route.waiting == 1)
        #expect(app.connectionsOpen == 3)
        #expect(route[0].pool?.count == 0 && route[1].pool?.count == 0)
        clients.leave(0)
        #expect(try loop.run(until: { clients.order.count == 4 }))
        // Nobody waits any more, so what is free may be opened ahead again once somebody has been served.
        for number in 1..<4 { clients.leave(number) }
        #expect(route.used == 0)
    }

    @Test func whatIsGivenBackGoesToWhoeverIsFirstInLine() throws {
        let loop = try EventLoop()
        let app = try App()
        app.listen()
        let pool = ConnectionPool.Limits(idle: 4)
        let route = try AppRoute(to: app, workers: 2, max: 1, pool: pool, on: loop)
        let clients = Clients()
        clients.ask(route[0], 0)
        clients.ask(route[0], 1)
        clients.ask(route[1], 2)
        #expect(try loop.run(until: { clients.order == [0] }))
        // To a client of the same worker as it is; for one of another worker it makes room.
        route[0].giveBack(try clients.give(0))
        #expect(clients.order == [0, 1])
        #expect(clients.connections[1]?.isReused == true)
        route[0].giveBack(try clients.give(1))
        #expect(try loop.run(until: { clients.order == [0, 1, 2] }))
        #expect(clients.connections[2]?.isReused == false)
        #expect(app.accept() == 2)
        #expect(app.connectionsOpen == 1)
    }
}
