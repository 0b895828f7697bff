public import EventLoop
internal import Network

/// A client's wish for a connection to the app, until it is granted, refused or withdrawn.
///
/// Belongs to its loop's thread.
public final class ConnectRequest {
    /// How a wish ends.
    public enum Result {
        /// Here is a connection; the receiver owns it.
        case connected(AppConnection)
        /// Nobody was listening, for as long as the client may wait.
        case refused
        /// The app was listening but took no connection, for as long as the client may wait.
        case timedOut
        /// The app has all the connections that it may have, and as many clients wait as may.
        case queueFull
        /// The client's turn did not come for as long as it may wait.
        case waitedTooLong
        /// The system would not allow it.
        case failed(SystemError)
    }

    /// When a wish that was answered had come how far.
    public struct Times: Sendable {
        /// The app was asked for.
        public let started: MonotonicTime
        /// The app was called, the last time; nil where it was not.
        public let called: MonotonicTime?
        /// There is a connection, or the reason why there is none.
        public let answered: MonotonicTime
        public let isConnected: Bool
    }

    /// Where a request stands in line.
    struct Turn {
        let line: AdmissionLine
        let ticket: UInt64
    }

    let started = MonotonicTime.now
    var attempt: ConnectionAttempt?
    /// When the app was last called for it; nil as long as it waits.
    public internal(set) var lastCall: MonotonicTime?
    /// While the request waits for a place.
    var turn: Turn? {
        didSet { if turn != nil { hasStoodInLine = true } }
    }
    private(set) var hasStoodInLine = false
    /// The right to a connection, where that takes one.
    var place: AdmissionPlace?
    /// Whether the request is kept when the app is not there.
    private(set) var mayWait = true
    /// Whose wish it is; nil where it is nobody's in particular.
    let client: IPAddress?
    private let connector: Connector
    private var completion: ((Result) -> Void)?

    init(to connector: Connector, for client: IPAddress?, _ completion: @escaping (Result) -> Void) {
        self.connector = connector
        self.client = client
        self.completion = completion
    }

    /// Whether the client waits until the app may have another connection.
    public var isInLine: Bool { turn != nil }

    /// Withdraws the wish; it is not answered any more. Does nothing once it was.
    public func cancel() {
        guard completion != nil else { return }
        completion = nil
        if let turn { return turn.line.withdraw(turn.ticket) }
        let wasBeingTried = attempt != nil
        giveUpAttempt()
        place = nil
        connector.withdrawn(self, whileBeingTried: wasBeingTried)
    }

    /// Withdraws the wish unless it is just being tried, because the client is gone: what it said before it went is for
    /// the app, if that is there, but is not worth waiting for.
    /// - Returns: whether the wish was withdrawn; if not, it is answered soon.
    public func cancelUnlessBeingTried() -> Bool {
        mayWait = false
        if attempt != nil { return false }
        cancel()
        return true
    }

    func giveUpAttempt() {
        attempt?.cancel()
        attempt = nil
    }

    func complete(_ result: Result) {
        attempt = nil
        assert(turn == nil, "answered while it stands in line")
        if case .connected(let connection) = result {
            connection.uses += 1
            // A connection from the pool has its place already.
            if let place { connection.socket.releasedAfterClosing = place }
        }
        place = nil
        let completion = completion
        self.completion = nil
        if completion != nil { reportTimes(result) }
        completion?(result)
    }

    /// One that is served or turned away without having waited for anything or anybody has no times worth telling.
    private func reportTimes(_ result: Result) {
        guard let onAnswer = connector.onAnswer, lastCall != nil || hasStoodInLine else { return }
        var isConnected = false
        if case .connected = result { isConnected = true }
        onAnswer(Times(started: started, called: lastCall, answered: .now, isConnected: isConnected))
    }
}
