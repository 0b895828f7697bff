import EventLoop
import Network
import Testing

@testable import Upstream

/// The ways to one app of several workers, which in these tests are all on the test's own loop.
final class AppRoute {
    let workers: [AppConnections]
    let admission: AdmissionQueue?
    let hold: HoldCoordinator
    private let loop: EventLoop
    private let events: [IOEvent]

    private enum News: Sendable {
        case hold(HoldCoordinator.News)
        case admission(AdmissionQueue.News)
    }

    /// - Parameters:
    ///   - max: how many connections the app may have; nil for any number.
    ///   - queue: how many clients may wait for one.
    init(
        to app: App, workers: Int = 1, max: Int? = nil, queue: Int = 1000, queueTimeout: Duration = .seconds(10),
        hold holdTime: Duration = .seconds(10), pool: ConnectionPool.Limits = ConnectionPool.Limits(),
        on loop: EventLoop
    ) throws {
        self.loop = loop
        let mailboxes = try (0..<workers).map { _ in try Mailbox<News>() }
        let hold = HoldCoordinator { mailboxes[$0].post(.hold($1)) }
        let admission = max.map { max in
            AdmissionQueue(limit: max, length: queue) { mailboxes[$0.worker].post(.admission($1)) }
        }
        let limits = AppConnections.Limits(
            connector: Connector.Limits(hold: holdTime, connectTimeout: .seconds(1)), queueTimeout: queueTimeout,
            pool: pool)
        let routes = try (0..<workers).map { worker in
            try AppConnections(
                to: [app.address], limits: limits, hold: hold, admission: admission,
                member: AdmissionQueue.Member(worker: worker), on: loop)
        }
        events = try zip(mailboxes, routes).map { mailbox, route in
            try mailbox.open(on: loop) { news in
                switch news {
                case .hold(let news): route.receive(news)
                case .admission(let news): route.receive(news)
                }
            }
        }
        self.workers = routes
        self.admission = admission
        self.hold = hold
    }

    subscript(worker: Int) -> AppConnections { workers[worker] }

    /// How many connections there may be, that are or are being made.
    var used: Int { admission?.occupancy.used ?? 0 }

    /// How many clients wait in line.
    var waiting: Int { admission?.occupancy.waiting ?? 0 }
}

/// Clients of an ``AppRoute`` that note what they are told, and keep what they get.
final class Clients {
    enum Answer: Equatable {
        case connected
        case refused
        case queueFull
        case waitedTooLong
        case other
    }

    private(set) var order: [Int] = []
    private(set) var answers: [Int: Answer] = [:]
    var connections: [Int: AppConnection] = [:]
    /// Requests that nobody had would be withdrawn.
    private var requests: [Int: ConnectRequest] = [:]

    @discardableResult
    func ask(_ app: AppConnections, _ number: Int) -> ConnectRequest {
        let request = app.connect { [self] result in
            #expect(answers[number] == nil, "answered twice")
            requests[number] = nil
            order.append(number)
            if case .connected(let connection) = result { connections[number] = connection }
            answers[number] =
                switch result {
                case .connected: .connected
                case .refused: .refused
                case .queueFull: .queueFull
                case .waitedTooLong: .waitedTooLong
                case .timedOut, .failed: .other
                }
        }
        if answers[number] == nil { requests[number] = request }
        return request
    }

    /// A client's connection, which it has no longer.
    func give(_ number: Int) throws -> AppConnection {
        let connection = try #require(connections[number])
        connections[number] = nil
        return connection
    }

    /// Lets go of a client's connection, which closes it.
    func leave(_ number: Int) { connections[number] = nil }
}
