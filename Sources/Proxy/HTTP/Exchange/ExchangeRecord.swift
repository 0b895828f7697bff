internal import EventLoop
internal import HTTP1
internal import Network
internal import Observability

/// The part of an exchange that counters, the log, timeouts and error pages want to know of; made anew for each request.
struct ExchangeRecord {
    /// When the request's first byte came.
    let began: MonotonicTime
    /// When the client last sent a part of the request, or the app last took one.
    var lastRequestActivity: MonotonicTime
    /// When the app, or the password thread, was asked for; nil where nobody wants to know.
    var asked: MonotonicTime?
    /// When the app was called, for a new connection.
    var called: MonotonicTime?
    var connected: MonotonicTime?
    /// When the first byte of the response came.
    var firstByte: MonotonicTime?

    /// Whether the request's own words have been copied for the log.
    var hasText = false
    /// The name of the client, where that was asked and found to be true.
    var user: String?
    var upstream: SocketAddress?
    /// The address from which the app saw the connection come, where that is worth naming.
    var source: SocketAddress?
    /// Whether the connection to the app had carried requests before.
    var isReused = false
    /// The response's status; nil while there is none.
    var status: Int?
    /// The form that the client wants error pages in.
    var pageFormat = ErrorPage.Format.json
    /// The size of the error page's body, where the client got one.
    var pageBytes: UInt64 = 0

    init(at time: MonotonicTime) {
        began = time
        lastRequestActivity = time
    }

    /// Makes the times that the log names.
    func times(until now: MonotonicTime) -> RequestSummary.Times {
        func span(_ start: MonotonicTime?, _ end: MonotonicTime?) -> Duration? {
            guard let start, let end else { return nil }
            return end.since(start)
        }
        return RequestSummary.Times(
            queue: span(asked, called), connect: span(called, connected), firstByte: span(connected, firstByte),
            total: now.since(began))
    }
}
