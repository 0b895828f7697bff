import EventLoop
import Network
import TestSupport
import Testing
import Upstream

/// Notes how requests end, and keeps the connections.
final class Answers {
    enum Answer: Equatable {
        case connected(SocketAddress)
        case refused
        case timedOut
        case queueFull
        case waitedTooLong
        case failed(CInt)
    }

    /// The requests that have been answered, in the order of the answers.
    private(set) var order: [Int] = []
    private(set) var answers: [Int: Answer] = [:]
    /// When each answer came, in the same order as ``order``.
    private(set) var times: [MonotonicTime] = []
    private(set) var connections: [WatchedSocket] = []
    /// Requests that nobody had would be withdrawn.
    private var requests: [Int: ConnectRequest] = [:]

    /// Whether some request has been answered twice.
    private(set) var isAnsweredTwice = false

    var count: Int { order.count }

    /// The different answers that were given.
    var kinds: [Answer] {
        order.compactMap { answers[$0] }.reduce(into: []) { kinds, answer in
            if !kinds.contains(answer) { kinds.append(answer) }
        }
    }

    /// Asks for a connection as request `number`, and does `work` once it is answered.
    @discardableResult
    func ask(
        _ connector: Connector, _ number: Int, for client: IPAddress? = nil, andThen work: @escaping () -> Void = {}
    ) -> ConnectRequest {
        let request = connector.connect(for: client) { [self] result in
            note(result, of: number)
            work()
        }
        if answers[number] == nil { requests[number] = request }
        return request
    }

    /// Asks for a connection as request `number`, and runs the loop until it is answered.
    /// - Returns: the answer; nil where there is none in time.
    @discardableResult
    func ask(_ connector: Connector, _ number: Int, answeredOn loop: EventLoop) throws -> Answer? {
        ask(connector, number)
        _ = try loop.run(until: { self.answers[number] != nil })
        return answers[number]
    }

    /// Asks once for each of the numbers, in this order, and runs the loop until so many wait for the app.
    @discardableResult
    func ask(
        _ connector: Connector, _ numbers: Range<Int>, untilWaitingOn loop: EventLoop, count: Int
    ) throws -> [ConnectRequest] {
        let requests = numbers.map { ask(connector, $0) }
        try #require(try loop.run(until: { connector.waitingCount == count }))
        return requests
    }

    private func note(_ result: ConnectRequest.Result, of number: Int) {
        if answers[number] != nil { isAnsweredTwice = true }
        requests[number] = nil
        order.append(number)
        times.append(.now)
        switch result {
        case .connected(let connection):
            connections.append(connection.socket)
            answers[number] = .connected(connection.address)
        case .refused: answers[number] = .refused
        case .timedOut: answers[number] = .timedOut
        case .queueFull: answers[number] = .queueFull
        case .waitedTooLong: answers[number] = .waitedTooLong
        case .failed(let error): answers[number] = .failed(error.code)
        }
    }
}
