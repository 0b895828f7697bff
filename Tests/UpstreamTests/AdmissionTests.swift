import EventLoop
import Network
import TestSupport
import Testing

@testable import Upstream

@Suite(.timeLimit(.minutes(1))) struct AdmissionTests {
    @Test(arguments: [1, 3]) func theAppNeverSeesMoreThanItMay(workers: Int) throws {
        let loop = try EventLoop()
        let app = try App()
        app.listen()
        let route = try AppRoute(to: app, workers: workers, max: 2, on: loop)
        let clients = Clients()
        for number in 0..<20 { clients.ask(route[number % workers], number) }
        for served in 1...20 {
            #expect(try loop.run(until: { clients.order.count >= min(served + 1, 20) }))
            #expect(app.connectionsOpen <= 2)
            #expect(route.used <= 2)
            clients.leave(clients.order[served - 1])
        }
        // In order, whichever worker they belong to.
        #expect(clients.order == Array(0..<20))
        #expect(app.accept() == 20)
        #expect(try loop.run(until: { route.used == 0 }))
    }

    @Test func whoeverLeavesTheLineIsSkipped() throws {
        let loop = try EventLoop()
        let app = try App()
        app.listen()
        let route = try AppRoute(to: app, workers: 2, max: 1, on: loop)
        let clients = Clients()
        let requests = (0..<6).map { clients.ask(route[$0 % 2], $0) }
        #expect(try loop.run(until: { clients.order == [0] }))
        for number in [1, 4] {
            requests[number].cancel()
            requests[number].cancel()
        }
        #expect(route.waiting == 3)
        for expected in [[0, 2], [0, 2, 3], [0, 2, 3, 5]] {
            clients.leave(expected[expected.count - 2])
            #expect(try loop.run(until: { clients.order == expected }))
        }
        clients.leave(5)
        #expect(route.used == 0)
    }

    @Test func aPlaceOnItsWayToOneWhoLeavesGoesToTheNext() throws {
        let loop = try EventLoop()
        let app = try App()
        app.listen()
        let route = try AppRoute(to: app, workers: 2, max: 1, on: loop)
        let clients = Clients()
        let requests = (0..<3).map { clients.ask(route[$0 % 2], $0) }
        #expect(try loop.run(until: { clients.order == [0] }))
        // The news waits in the mailbox when its client goes.
        clients.leave(0)
        requests[1].cancel()
        #expect(try loop.run(until: { clients.order == [0, 2] }))
        clients.leave(2)
        #expect(route.used == 0 && route.waiting == 0)
    }

    @Test func theLineHasItsLength() throws {
        let loop = try EventLoop()
        let app = try App()
        app.listen()
        let route = try AppRoute(to: app, max: 1, queue: 2, on: loop)
        let clients = Clients()
        var news: [AppConnections.News] = []
        route[0].onNews = { news.append($0) }
        for number in 0..<5 { clients.ask(route[0], number) }
        #expect(clients.answers == [3: .queueFull, 4: .queueFull])
        #expect(try loop.run(until: { clients.answers[0] == .connected }))
        #expect(news == [.clientsWait, .queueFull])
        clients.leave(0)
        #expect(try loop.run(until: { clients.answers[1] == .connected }))
        clients.ask(route[0], 5)
        #expect(clients.answers[5] == nil)
    }

    @Test func patienceEndsInOrder() throws {
        let loop = try EventLoop()
        let app = try App()
        app.listen()
        let route = try AppRoute(to: app, max: 1, queueTimeout: .milliseconds(200), on: loop)
        let clients = Clients()
        let start = MonotonicTime.now
        for number in 0..<4 { clients.ask(route[0], number) }
        #expect(try loop.run(until: { clients.order.count == 4 }, atMost: .seconds(3)))
        #expect(clients.order == [0, 1, 2, 3])
        #expect(clients.answers[3] == .waitedTooLong)
        #expect(MonotonicTime.now.since(start) >= .milliseconds(190))
        #expect(route.waiting == 0 && route.used == 1)
    }

    @Test func theAppsAbsenceCountsAgainstTheHoldAlone() throws {
        let loop = try EventLoop()
        let app = try App()
        let route = try AppRoute(to: app, max: 1, queueTimeout: .milliseconds(300), on: loop)
        let clients = Clients()
        for number in 0..<3 { clients.ask(route[0], number) }
        let start = MonotonicTime.now
        _ = try loop.run(until: { MonotonicTime.now.since(start) > .milliseconds(700) })
        #expect(clients.order.isEmpty)
        #expect(route.hold.health.isDown)
        app.listen()
        #expect(try loop.run(until: { clients.order == [0] }))
        #expect(route.hold.health.isUp)
        // Those in line have all of their patience still.
        let back = MonotonicTime.now
        #expect(try loop.run(until: { clients.order.count == 3 }, atMost: .seconds(3)))
        #expect(clients.answers[1] == .waitedTooLong && clients.answers[2] == .waitedTooLong)
        #expect(MonotonicTime.now.since(back) >= .milliseconds(200))
    }

    @Test func allAreRefusedWhenTheHoldIsOver() throws {
        let loop = try EventLoop()
        let app = try App()
        let route = try AppRoute(to: app, workers: 2, max: 1, hold: .milliseconds(200), on: loop)
        let clients = Clients()
        let start = MonotonicTime.now
        for number in 0..<10 { clients.ask(route[number % 2], number) }
        #expect(try loop.run(until: { clients.order.count == 10 }, atMost: .seconds(5)))
        #expect(Set(clients.answers.values) == [.refused])
        #expect(MonotonicTime.now.since(start) < .seconds(4))
        #expect(route.used == 0 && route.waiting == 0)
    }

    /// What the workers have been told, and how many permits are out.
    private final class Desk: Sendable {
        let news = Guarded<[Int: [AdmissionQueue.News]]>([:])

        func take(_ worker: Int) -> [AdmissionQueue.News] { news.withLock { $0.removeValue(forKey: worker) ?? [] } }
    }

    @Test func nothingIsLostBetweenThreads() async {
        let desk = Desk()
        let queue = AdmissionQueue(limit: 3, length: 20) { member, news in
            desk.news.withLock { $0[member.worker, default: []].append(news) }
        }
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<4 { group.addTask { Self.work(worker, queue, desk) } }
        }
        // What was told to one who had already gone.
        for _ in 0..<200 {
            for worker in 0..<4 { _ = desk.take(worker) }
        }
        #expect(queue.occupancy == (0, 0))
    }

    /// Enters, leaves, keeps and lets go at random, as a worker does for its clients.
    private static func work(_ worker: Int, _ queue: AdmissionQueue, _ desk: Desk) {
        let member = AdmissionQueue.Member(worker: worker)
        var permits: [AdmissionPermit] = []
        var tickets: [UInt64] = []
        var kept: [AdmissionPermit] = []
        func receive(_ news: AdmissionQueue.News) {
            switch news {
            case .granted(let ticket, let permit):
                guard let index = tickets.firstIndex(of: ticket) else { return }
                // In the order in which they came, though some have left.
                #expect(index == 0)
                tickets.remove(at: index)
                permits.append(permit)
            case .closeIdle:
                while kept.count > queue.mayKeep(member) { kept.removeFirst() }
            }
        }
        for _ in 0..<20_000 {
            for news in desk.take(worker) { receive(news) }
            switch Int.random(in: 0..<8) {
            case 0, 1, 2:
                switch queue.enter(from: member) {
                case .granted(let permit): permits.append(permit)
                case .waits(let ticket, _): tickets.append(ticket)
                case .full: break
                }
            case 3:
                guard let ticket = tickets.randomElement() else { continue }
                tickets.removeAll { $0 == ticket }
                queue.withdraw(ticket)
            case 4:
                guard let permit = permits.popLast() else { continue }
                switch queue.keep(for: member) {
                case .keep: kept.append(permit)
                case .serve(let ticket):
                    // Whoever was in front of it has been told by now.
                    let told = desk.take(worker)
                    let isBefore = { (news: AdmissionQueue.News) in
                        if case .granted(let other, _) = news { other < ticket } else { false }
                    }
                    for news in told where isBefore(news) { receive(news) }
                    #expect(tickets.first == ticket)
                    tickets.removeAll { $0 == ticket }
                    permits.append(permit)
                    for news in told where !isBefore(news) { receive(news) }
                case .close: break
                }
            case 5:
                guard !kept.isEmpty, queue.claimKept(by: member) else { continue }
                permits.append(kept.removeLast())
            case 6:
                if let permit = queue.permitForSpare() { permits.append(permit) }
            default:
                permits.removeAll()
            }
            let occupancy = queue.occupancy
            if occupancy.used > 3 || occupancy.waiting > 20 { Issue.record("too many: \(occupancy)") }
        }
        for ticket in tickets { queue.withdraw(ticket) }
        queue.keptLess(by: member, now: 0)
    }

    /// A worker may be done with what it is told before the one who told it has come out of the lock.
    @Test func aPlaceMayBeLetGoOfAsSoonAsItIsTold() {
        let queue = AdmissionQueue(limit: 1, length: 3) { _, _ in }
        let member = AdmissionQueue.Member(worker: 0)
        var entries = (0..<4).map { _ in queue.enter(from: member) }
        #expect(queue.occupancy == (1, 3))
        entries.removeAll()
        #expect(queue.occupancy == (0, 0))
        entries = (0..<4).map { _ in queue.enter(from: member) }
        withExtendedLifetime(entries) { queue.setBounds(limit: 3, length: 3) }
        #expect(queue.occupancy.waiting == 0)
        entries.removeAll()
        #expect(queue.occupancy == (0, 0))
    }

    @Test func boundsMayChangeWhileClientsWait() throws {
        let loop = try EventLoop()
        let app = try App()
        app.listen()
        let route = try AppRoute(to: app, max: 1, on: loop)
        let clients = Clients()
        for number in 0..<6 { clients.ask(route[0], number) }
        #expect(try loop.run(until: { clients.order == [0] }))
        route.admission?.setBounds(limit: 3, length: 10)
        #expect(try loop.run(until: { clients.order == [0, 1, 2] }))
        route.admission?.setBounds(limit: 1, length: 10)
        // Two have to go before the next one may come.
        for number in 0..<3 {
            #expect(clients.order.count == 3 && route.used == 3 - number)
            clients.leave(number)
        }
        #expect(try loop.run(until: { clients.order == [0, 1, 2, 3] }))
        #expect(app.connectionsOpen == 1)
    }

    @Test func aConnectionsEndIsToldBeforeItsPlaceIsFree() throws {
        let loop = try EventLoop()
        let seen = Ends()
        try closeOne(on: loop, noting: seen)
        #expect(seen.ends == [0])
    }

    private func closeOne(on loop: EventLoop, noting ends: Ends) throws {
        let (peer, socket) = try Peer.watched(on: loop)
        socket.releasedAfterClosing = Witness(peer, ends)
    }

    private final class Ends {
        var ends: [CInt?] = []
    }

    /// Notes, when it is released, whether the peer has seen the end.
    private final class Witness {
        private let peer: Peer
        private let ends: Ends

        init(_ peer: Peer, _ ends: Ends) {
            self.peer = peer
            self.ends = ends
        }

        deinit {
            peer.read()
            ends.ends.append(peer.end)
        }
    }
}
