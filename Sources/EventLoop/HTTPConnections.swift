internal import CLibevent
internal import Glibc

/// The connections of an ``HTTPServer``, bounded in number and in time: evhttp itself accepts whoever comes, and waits for
/// those who send a byte now and then.
///
/// Belongs to its loop's thread.
final class HTTPConnections {
    private struct Connection {
        /// Retained, so that it can be asked whether evhttp still uses it. Evhttp closes the descriptor.
        let stream: OpaquePointer
        /// When it was opened, or a whole request last arrived on it.
        var lastRequest: MonotonicTime
    }

    private let loop: EventLoop
    private let most: Int
    private var open: [Connection] = []
    private var timer: Deadline?

    /// What accepts connections; set by whoever knows it, and owned by evhttp.
    var listener: OpaquePointer? {
        didSet { watchForErrors() }
    }

    /// A connection must have sent a whole request, or taken its answer and sent another one, within this time.
    private static let patience = Duration.seconds(15)
    /// How often to look for connections that have ended, or should.
    private static let interval = Duration.seconds(1)
    private static let intervalWhileFull = Duration.milliseconds(100)

    init(atMost most: Int, on loop: EventLoop) throws(SystemError) {
        self.most = most
        self.loop = loop
        timer = try Deadline(on: loop) { [unowned self] in look($0) }
        timer?.schedule(after: Self.interval)
    }

    deinit {
        for connection in open { bufferevent_decref(connection.stream) }
    }

    /// Makes a stream for a connection that evhttp has accepted, and that it connects to the stream right after.
    /// - Returns: a bufferevent for evhttp to own; nil without memory.
    func makeStream() -> OpaquePointer? {
        forgetEnded()
        // Without BEV_OPT_CLOSE_ON_FREE evhttp closes the descriptor as soon as it is done, whoever else keeps the stream.
        guard let stream = bufferevent_socket_new(loop.base, -1, 0) else { return nil }
        bufferevent_incref(stream)
        open.append(Connection(stream: stream, lastRequest: .coarse))
        if open.count >= most, let listener {
            evconnlistener_disable(listener)
            timer?.schedule(after: Self.intervalWhileFull)
        }
        return stream
    }

    /// A whole request has arrived on a connection.
    func isAlive(_ stream: OpaquePointer?) {
        guard let index = open.firstIndex(where: { $0.stream == stream }) else { return }
        open[index].lastRequest = .coarse
    }

    private func look(_ hearing: Hearing) {
        forgetEnded()
        for connection in open where hearing.silence(since: connection.lastRequest) > Self.patience {
            // Evhttp sees an end, and does the rest.
            let descriptor = bufferevent_getfd(connection.stream)
            if descriptor >= 0 { shutdown(descriptor, CInt(SHUT_RDWR)) }
        }
        // Wherever it was disabled; it costs nothing where it was not.
        if open.count < most, let listener { evconnlistener_enable(listener) }
        timer?.schedule(after: open.count < most ? Self.interval : Self.intervalWhileFull)
    }

    /// Evhttp takes its callbacks away from a stream that it is done with.
    private func forgetEnded() {
        open.removeAll { connection in
            var eventCallback: bufferevent_event_cb?
            bufferevent_getcb(connection.stream, nil, nil, &eventCallback, nil)
            guard eventCallback == nil else { return false }
            bufferevent_decref(connection.stream)
            return true
        }
    }

    /// Without descriptors to spare, accept(2) fails again and again: better to wait for the next look.
    private func watchForErrors() {
        guard let listener else { return }
        evconnlistener_set_error_cb(listener) { listener, _ in evconnlistener_disable(listener) }
    }
}
