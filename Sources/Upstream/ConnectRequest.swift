public import EventLoop
public import Network

/// A client's wish for a connection to the app, until it is granted, refused or withdrawn.
///
/// Belongs to its loop's thread.
public final class ConnectRequest {
    /// How a wish ends.
    public enum Result {
        /// Here is a connection to this address; the receiver owns it.
        case connected(WatchedSocket, to: SocketAddress)
        /// Nobody was listening, for as long as the client may wait.
        case refused
        /// The app was listening but took no connection, for as long as the client may wait.
        case timedOut
        /// The system would not allow it.
        case failed(SystemError)
    }

    let started = MonotonicTime.now
    var attempt: ConnectionAttempt?
    private let connector: Connector
    private var completion: ((Result) -> Void)?

    init(to connector: Connector, _ completion: @escaping (Result) -> Void) {
        self.connector = connector
        self.completion = completion
    }

    /// Withdraws the wish; it is not answered any more. Does nothing once it was.
    public func cancel() {
        guard completion != nil else { return }
        completion = nil
        let wasBeingTried = attempt != nil
        giveUpAttempt()
        connector.withdrawn(self, whileBeingTried: wasBeingTried)
    }

    func giveUpAttempt() {
        attempt?.cancel()
        attempt = nil
    }

    func complete(_ result: Result) {
        attempt = nil
        let completion = completion
        self.completion = nil
        completion?(result)
    }
}
