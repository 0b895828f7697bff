internal import EventLoop
internal import Network

/// A request for a connection to the app on its way: in line, waiting for the app, or being tried.
///
/// It is kept by where it stands, and by the ``ConnectRequest`` of whoever asks. Belongs to its loop's thread.
final class PendingRequest: WaitingRequest, ConnectionAttemptOwner {
    typealias Result = ConnectRequest.Result

    /// The position of a request in line.
    struct Turn {
        let line: AdmissionLine
        let ticket: UInt64
    }

    let started = MonotonicTime.now
    var attempt: ConnectionAttempt?
    /// The moment when the app was last called for it; nil as long as it waits.
    var lastCall: MonotonicTime?
    /// While the request waits for a permit.
    var turn: Turn? {
        didSet { if turn != nil { hasStoodInLine = true } }
    }
    private(set) var hasStoodInLine = false
    /// The right to a connection, where that takes one.
    var permit: AdmissionPermit?
    /// Whether the request is kept when the app is not there.
    private(set) var mayWait = true
    /// The client who asks; nil where it is nobody in particular.
    let client: IPAddress?
    /// Nil once the request was answered or withdrawn.
    private var connector: Connector?
    /// Nil once the request was answered or withdrawn.
    private var completion: ((Result) -> Void)?

    init(to connector: Connector, for client: IPAddress?, _ completion: @escaping (Result) -> Void) {
        self.connector = connector
        self.client = client
        self.completion = completion
    }

    /// Takes the request out of wherever it stands; its completion is not called any more. Does nothing once it was.
    func withdraw() {
        guard completion != nil else { return }
        completion = nil
        let connector = connector
        self.connector = nil
        if let turn { return turn.line.withdraw(turn.ticket) }
        let wasBeingTried = attempt != nil
        giveUpAttempt()
        permit = nil
        connector?.withdrawn(self, whileBeingTried: wasBeingTried)
    }

    /// See ``ConnectRequest/cancelUnlessBeingTried()``.
    func withdrawUnlessBeingTried() -> Bool {
        mayWait = false
        if attempt != nil { return false }
        withdraw()
        return true
    }

    func attemptEnded(_ attempt: ConnectionAttempt, _ outcome: ConnectionAttempt.Outcome) {
        self.attempt = nil
        connector?.attemptEnded(self, attempt.purpose, outcome)
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
            // A connection from the pool has its permit already.
            if let permit { connection.socket.releasedAfterClosing = permit }
        }
        permit = nil
        let completion = completion
        self.completion = nil
        if completion != nil { reportTimes(result) }
        connector = nil
        completion?(result)
    }

    /// A request that is served or turned away without having waited for anything or anybody has no times worth telling.
    private func reportTimes(_ result: Result) {
        guard let onAnswer = connector?.onAnswer, lastCall != nil || hasStoodInLine else { return }
        var isConnected = false
        if case .connected = result { isConnected = true }
        onAnswer(
            ConnectRequest.Times(started: started, called: lastCall, answered: .now, isConnected: isConnected))
    }
}
