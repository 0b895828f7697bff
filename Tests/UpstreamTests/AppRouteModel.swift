import EventLoop
import Network
import TestSupport

@testable import Upstream

/// What a route's clients must be told, next to the real route of several workers and a real app: who is connected, who waits,
/// and in which order.
final class AppRouteModel {
    enum Event: Equatable {
        /// The next client asks a worker.
        case ask(worker: Int)
        /// One of those who are there leaves, connected or not.
        case leave(choice: Int)
        /// One of those who are connected gives its connection back.
        case giveBack(choice: Int)
        case appListens
        case appStopsListening
        /// The app ends the connections that it has, used or idle.
        case appEndsConnections
        case bound(Int)
        /// Everything that is under way comes to rest.
        case settle
    }

    struct Settings {
        var workers: Int
        var max: Int
        var queue: Int
        var pool: ConnectionPool.Limits
    }

    private struct Client {
        let worker: Int
        var request: ConnectRequest?
        var connection: AppConnection?
        /// It has had to wait in line, while the app was there all the time.
        var stoodInLine = false
    }

    private let loop: EventLoop
    private let app: App
    private let route: AppRoute
    private let settings: Settings
    private var limit: Int
    /// More than the limit only where that was lowered, and then no more than there were.
    private var mostUsed: Int
    private var isAppUp = false
    private var asked = 0
    /// Those who are there, by the order in which they came.
    private var clients: [Int: Client] = [:]
    private var fault: String?

    init(_ settings: Settings) throws {
        loop = try EventLoop()
        app = try App()
        route = try AppRoute(
            to: app, workers: settings.workers, max: settings.max, queue: settings.queue,
            queueTimeout: .seconds(60), hold: .seconds(60), pool: settings.pool, on: loop)
        self.settings = settings
        limit = settings.max
        mostUsed = settings.max
        app.listen()
        isAppUp = true
    }

    /// - Returns: what was not as specified; nil where everything was.
    func run(_ events: [Event]) throws -> String? {
        for event in events {
            try take(event)
            if fault == nil { checkBounds() }
            if let fault { return "\(fault), at \(event)" }
        }
        try settle()
        if fault == nil { try end() }
        return fault
    }

    private func take(_ event: Event) throws {
        switch event {
        case .ask(let worker): ask(worker % settings.workers)
        case .leave(let choice): leave(choice)
        case .giveBack(let choice): giveBack(choice)
        case .appListens:
            guard !isAppUp else { return }
            isAppUp = true
            app.listen()
        case .appStopsListening:
            guard isAppUp else { return }
            isAppUp = false
            app.stopListening()
            // From here on it is the hold that says who goes first, worker by worker.
            for number in clients.keys { clients[number]?.stoodInLine = false }
        case .appEndsConnections: app.endAll()
        case .bound(let bound):
            limit = bound
            mostUsed = Swift.max(bound, route.used)
            route.admission?.setBounds(limit: bound, length: settings.queue)
        case .settle: try settle()
        }
    }

    // MARK: Events

    private func ask(_ worker: Int) {
        let number = asked
        asked += 1
        let waitedBefore = route.waiting
        clients[number] = Client(worker: worker)
        var answerComesLater = false
        let request = route[worker].connect { [unowned self] result in
            guard var client = clients[number] else { return note("client \(number) is answered after it left") }
            guard client.connection == nil else { return note("client \(number) is answered twice") }
            switch result {
            case .connected(let connection):
                if !answerComesLater, connection.isReused, connection.socket.socket.idleState == .ended {
                    note("client \(number) gets a connection that the app has ended")
                }
                client.connection = connection
                client.request = nil
                clients[number] = client
                if client.stoodInLine { checkOrder(number) }
            case .queueFull:
                if answerComesLater { note("client \(number) is turned away after it was let in") }
                if waitedBefore < settings.queue {
                    note("client \(number) is turned away from a line of \(waitedBefore)")
                }
                clients[number] = nil
            case .refused, .timedOut, .waitedTooLong: note("client \(number) waited for a moment and got \(result)")
            case .failed(let error): note("client \(number): \(error)")
            }
        }
        answerComesLater = true
        if clients[number] != nil, clients[number]?.connection == nil {
            clients[number]?.request = request
            clients[number]?.stoodInLine = request.isInLine && isAppUp
        }
    }

    private func leave(_ choice: Int) {
        guard let number = pick(choice, of: clients.keys.sorted()) else { return }
        let client = clients.removeValue(forKey: number)
        client?.request?.cancel()
    }

    private func giveBack(_ choice: Int) {
        let connected = clients.filter { $0.value.connection != nil }.keys.sorted()
        guard let number = pick(choice, of: connected), let client = clients.removeValue(forKey: number) else { return }
        guard let connection = client.connection, connection.socket.socket.idleState == .quiet else { return }
        route[client.worker].giveBack(connection)
    }

    private func pick(_ choice: Int, of numbers: [Int]) -> Int? {
        numbers.isEmpty ? nil : numbers[choice % numbers.count]
    }

    // MARK: What must hold

    /// At every moment.
    private func checkBounds() {
        if route.used > mostUsed { note("\(route.used) connections where \(mostUsed) may be") }
        mostUsed = Swift.max(limit, Swift.min(mostUsed, route.used))
        if route.waiting > settings.queue { note("\(route.waiting) wait where \(settings.queue) may") }
        if route.waiting > 0, route.used < limit { note("\(route.waiting) wait while there are places") }
        if isAppUp, app.connectionsOpen > mostUsed { note("the app sees \(app.connectionsOpen) connections") }
    }

    /// A client that stood in line is served: whoever came before it has been granted a place too, though the news of that may
    /// be on its way to another worker, or its connection be under way.
    private func checkOrder(_ number: Int) {
        let inLine = clients.filter { $0.value.request?.isInLine ?? false }
        let granted = inLine.count - route.waiting
        let earlier = inLine.keys.filter { $0 < number }
        if earlier.count > granted { note("client \(number) is served before \(earlier.sorted())") }
    }

    /// Once nothing is under way any more: as many are served as may be, in the order in which they came.
    private func settle() throws {
        guard fault == nil else { return }
        if isAppUp {
            let isAtRest = try loop.run(until: { [self] in fault != nil || isEverybodyServed }, atMost: .seconds(10))
            if !isAtRest, fault == nil { note("it does not come to rest: \(description)") }
        } else {
            var turns = 0
            _ = try loop.run(
                until: {
                    turns += 1
                    return turns > 3
                })
        }
        if fault == nil { checkBounds() }
    }

    private var isEverybodyServed: Bool {
        let connected = clients.values.count { $0.connection != nil }
        let waiting = clients.count - connected
        return waiting == 0 || (connected >= limit && route.waiting == waiting)
    }

    /// When all have gone, nothing is left of them.
    private func end() throws {
        for client in clients.values { client.request?.cancel() }
        clients = [:]
        for worker in route.workers { worker.drain() }
        let isOver = try loop.run(
            until: { [self] in route.used == 0 && route.waiting == 0 && app.connectionsOpen == 0 }, atMost: .seconds(10)
        )
        if !isOver { note("something is left: \(description)") }
        if route.hold.isHeld { note("the hold goes on without anybody") }
        if route.workers.contains(where: { $0.holdingCount > 0 || $0.queuedCount > 0 }) { note("somebody still waits") }
    }

    private func note(_ text: String) { fault = fault ?? text }

    private var description: String {
        let connected = clients.filter { $0.value.connection != nil }.keys.sorted()
        return "connected \(connected), of \(clients.keys.sorted()); used \(route.used), waiting \(route.waiting), "
            + "open \(app.connectionsOpen), kept \(route.workers.map { $0.pool?.count ?? 0 })"
    }
}

extension AppRouteModel.Event {
    /// Clients come more often than anything else happens.
    static func random(using chance: inout SeededGenerator) -> Self {
        switch Int.random(in: 0..<20, using: &chance) {
        case 0...6: .ask(worker: Int.random(in: 0..<3, using: &chance))
        case 7...9: .leave(choice: Int.random(in: 0..<100, using: &chance))
        case 10...13: .giveBack(choice: Int.random(in: 0..<100, using: &chance))
        case 14: .appListens
        case 15: Bool.random(using: &chance) ? .appStopsListening : .appListens
        case 16: .appEndsConnections
        case 17: .bound(Int.random(in: 1...3, using: &chance))
        default: .settle
        }
    }
}
