public import EventLoop

/// A client's request for a connection to the app, in the hands of whoever asks.
///
/// Letting go of it withdraws the request: its completion is not called any more. So a completion may refer to the owner of
/// its request `unowned`. Belongs to its loop's thread.
public final class ConnectRequest {
    /// The outcome of a request.
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

    /// The moments of a request that was answered.
    public struct Times: Sendable {
        /// The app was asked for.
        public let started: MonotonicTime
        /// The app was called, the last time; nil where it was not.
        public let called: MonotonicTime?
        /// There is a connection, or the reason why there is none.
        public let answered: MonotonicTime
        public let isConnected: Bool
    }

    private let pending: PendingRequest

    init(_ pending: PendingRequest) {
        self.pending = pending
    }

    deinit { pending.withdraw() }

    /// The moment when the app was last called for it; nil as long as it waits.
    public var lastCall: MonotonicTime? { pending.lastCall }

    /// Whether the client waits until the app may have another connection.
    public var isInLine: Bool { pending.turn != nil }

    /// Withdraws the request; it is not answered any more. Does nothing once it was.
    public func cancel() { pending.withdraw() }

    /// Withdraws the request unless it is just being tried, because the client is gone: what it said before it went is for
    /// the app, if that is there, but is not worth waiting for.
    /// - Returns: whether the request was withdrawn; if not, it is answered soon.
    public func cancelUnlessBeingTried() -> Bool { pending.withdrawUnlessBeingTried() }
}
