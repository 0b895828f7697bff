internal import EventLoop
internal import Observability

/// Keeps the sessions of one worker, and does what concerns all of them: timeouts, drains, the bound on their buffers.
///
/// It retains a session from its start to its end. Belongs to the worker's thread.
final class SessionTable {
    private var sessions: [any Session] = []
    private var sweep: Deadline?
    /// The delay with which the sweep was scheduled.
    private var sweepDelay = Duration.zero

    /// The shortest of the timeouts that sessions check; nil where there is no route. A shorter one brings the
    /// next look forward.
    var shortestTimeout: Duration? {
        didSet {
            // Only a shorter timeout moves it: a series of new routes could put it off forever.
            if !sessions.isEmpty, wantedSweepDelay < sweepDelay { scheduleSweep() }
        }
    }

    /// The bytes that the kernel may hold in each direction of a connection; nil where the kernel decides.
    private(set) var bufferBound: Int?

    /// Called whenever the last session has ended.
    var onEmpty: (() -> Void)?

    init(on loop: EventLoop) throws(SystemError) {
        // The table owns its deadline, and no other owner is there.
        sweep = try Deadline(on: loop) { [unowned self] in sweepSessions($0) }
    }

    var count: Int { sessions.count }

    var isEmpty: Bool { sessions.isEmpty }

    func forEach(_ body: (any Session) -> Void) {
        for session in sessions { body(session) }
    }

    // MARK: Beginnings and ends

    /// Adds a client's first session and starts it.
    func start(_ session: any Session) {
        session.index = sessions.count
        sessions.append(session)
        if sessions.count == 1 { scheduleSweep() }
        if let bufferBound { session.boundBuffers(to: bufferBound) }
        session.start()
    }

    /// Gives a session's position to its successor.
    func replace(_ session: some Session, by successor: any Session) {
        successor.index = session.index
        sessions[session.index] = successor
    }

    /// Counts a session's end, forgets it, and takes its connection away. A session's last act.
    /// - Parameter bytesMoved: what its ``Session/bytesMoved`` were at last.
    func end(_ session: some Session, bytesMoved: (toApp: UInt64, toClient: UInt64)) {
        session.route.tally.countEnd(
            after: session.started, bytesToApp: bytesMoved.toApp, bytesToClient: bytesMoved.toClient)
        let last = sessions.removeLast()
        if last !== session {
            last.index = session.index
            sessions[session.index] = last
        }
        session.connection.end()
        if sessions.isEmpty { onEmpty?() }
    }

    /// Resets the sessions of a route, or all.
    func abort(_ reason: SessionEnd, route number: Int? = nil) {
        for session in sessions where number == nil || session.route.number == number { session.abort(reason) }
    }

    /// Ends the sessions that have nothing under way.
    /// - Parameter isSpared: whether a session is left alone.
    /// - Returns: whether any was spared.
    @discardableResult
    func drain(sparing isSpared: (any Session) -> Bool = { _ in false }) -> Bool {
        var hasSpared = false
        for session in sessions { if isSpared(session) { hasSpared = true } else { session.drain() } }
        return hasSpared
    }

    // MARK: All of them

    /// Bounds the bytes that the kernel holds for each connection, or ends the bound.
    func boundBuffers(to bound: Int?) {
        let before = bufferBound
        bufferBound = bound
        // Applied again while it holds, for sessions that have got a connection to the app since.
        guard bound != nil || before != nil else { return }
        for session in sessions { session.boundBuffers(to: bound) }
    }

    /// Schedules the one deadline that looks at all sessions; one each would cost memory and be set anew with every byte. So a
    /// timeout is late by up to an eighth of the shortest one.
    private func scheduleSweep() {
        sweepDelay = wantedSweepDelay
        sweep?.schedule(after: sweepDelay)
    }

    private var wantedSweepDelay: Duration {
        min(max((shortestTimeout ?? .seconds(60)) / 8, .milliseconds(10)), .seconds(60))
    }

    private func sweepSessions(_ hearing: Hearing) {
        for session in sessions { session.checkTimeouts(hearing) }
        if !sessions.isEmpty { scheduleSweep() }
    }
}
