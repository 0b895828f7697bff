public import EventLoop
internal import Network

/// A small HTTP/1.1 server for the program's own pages: never for the traffic it carries.
///
/// Answers GET and HEAD; everything else gets 405. However many clients come and whatever they do, it keeps at most
/// ``HTTPServer/mostConnections`` open, reads at most 16 KiB of a request, and closes those that are slow. Belongs to its
/// loop's thread.
public final class HTTPServer {
    /// Called on the loop's thread, which it must not block. The answer may come later.
    public typealias Handler = (Request, Responder) -> Void

    /// The most connections that are open; further ones replace silent ones, or wait to be accepted.
    public static let mostConnections = 32

    /// The time between two looks for connections that are slow.
    private static let interval = Duration.seconds(1)
    /// The pause in accepting after the system had no descriptor or no memory for a connection.
    private static let intervalWhilePaused = Duration.milliseconds(100)

    let loop: EventLoop
    let fields: [(name: String, value: String)]
    let handler: Handler
    private let listener: ListeningSocket
    private var listenerEvent: IOEvent?
    private var connections: [ObjectIdentifier: Connection] = [:]
    private var sweep: Timer?
    /// The listener is not watched: there are as many connections as there may be, or the system has no room for more.
    private var isPaused = false

    /// Answers what arrives on a listening socket.
    /// - Parameters:
    ///   - listener: a listening, non-blocking socket; closed with the server, as its connections are.
    ///   - fields: header fields that every answer has.
    /// - Throws: ``SystemError`` when there is no memory, or the socket cannot be watched.
    public init(
        accepting listener: consuming Descriptor, on loop: EventLoop, fields: [(name: String, value: String)] = [],
        handler: @escaping Handler
    ) throws(SystemError) {
        self.loop = loop
        self.fields = fields
        self.handler = handler
        self.listener = ListeningSocket(owning: listener)
        // Our own timer and event: both are silent once we are gone.
        sweep = try Timer(on: loop) { [unowned self] in look() }
        listenerEvent = try IOEvent(self.listener.number, on: loop, for: .readable, trigger: .level) {
            [unowned self] _ in accept()
        }
    }

    deinit {
        // Before the descriptors that they watch.
        listenerEvent = nil
        for connection in connections.values { connection.abandon() }
    }

    // MARK: Connections

    private func accept() {
        // A client waits.
        if connections.count >= Self.mostConnections, !makeRoom() { return pause(for: Self.interval) }
        while connections.count < Self.mostConnections {
            switch listener.accept() {
            case .accepted(let socket, from: let peer):
                do throws(SystemError) {
                    let connection = try Connection(socket, from: peer, of: self)
                    connections[ObjectIdentifier(connection)] = connection
                    if sweep?.isScheduled == false { sweep?.schedule(after: Self.interval) }
                    connection.advance()
                } catch {
                    // The client was reset; the next one has no better chance.
                    return pause(for: Self.intervalWhilePaused)
                }
            case .nobody: return
            case .exhausted: return pause(for: Self.intervalWhilePaused)
            }
        }
    }

    /// Closes the connection on which nothing has come for longest: it has nothing to lose, and silent ones must not keep a
    /// health check from its answer.
    /// - Returns: whether there was one.
    private func makeRoom() -> Bool {
        guard let idlest = connections.values.filter(\.isIdle).min(by: { $0.deadline < $1.deadline }) else {
            return false
        }
        idlest.end()
        return true
    }

    private func pause(for interval: Duration) {
        isPaused = true
        listenerEvent?.stopWatching()
        sweep?.schedule(after: interval)
    }

    private func resume() {
        guard isPaused, connections.count < Self.mostConnections else { return }
        do throws(SystemError) {
            try listenerEvent?.startWatching()
            isPaused = false
        } catch {
            sweep?.schedule(after: Self.intervalWhilePaused)
        }
    }

    /// Closes the connection. Called by itself, as its last act.
    func ended(_ connection: Connection) {
        connections[ObjectIdentifier(connection)] = nil
        resume()
    }

    private func look() {
        let now = MonotonicTime.coarse
        for connection in connections.values { connection.checkDeadline(now) }
        resume()
        if !connections.isEmpty, sweep?.isScheduled == false { sweep?.schedule(after: Self.interval) }
    }
}
