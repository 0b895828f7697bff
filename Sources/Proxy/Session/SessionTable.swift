internal import EventLoop
internal import Observability

/// The sessions of one worker, and what is done to all of them: the look for timeouts, drains, the bound on their buffers.
///
/// It retains a session from its start to its end. Belongs to the worker's thread.
final class SessionTable {
    private var sessions: [any Session] = []
    private var sweep: Deadline?
    /// For how long the sweep was put off when it was scheduled.
    private var sweepDelay = Duration.zero

    /// The shortest of the timeouts that sessions look after by themselves; nil where there is no route. A shorter one brings the
    /// next look forward.
    var shortestTimeout: Duration? {
        didSet {
            // Nothing else moves it, or a crowd of new routes could put it off forever.
            if !sessions.isEmpty, wantedSweepDelay < sweepDelay { scheduleSweep() }
        }
    }

    /// What the kernel may hold in each direction of a connection; nil where it decides that.
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

    /// Begins with a client's first session.
    func start(_ session: any Session) {
        session.index = sessions.count
        sessions.append(session)
        if sessions.count == 1 { scheduleSweep() }
        if let bufferBound { session.boundBuffers(to: bufferBound) }
        session.start()
    }

    /// Gives a session's position to the one that goes on with its connection.
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

    /// Has the sessions end that have nothing under way.
    /// - Parameter isSpared: tells which are left alone.
    /// - Returns: whether any was.
    @discardableResult
    func drain(sparing isSpared: (any Session) -> Bool = { _ in false }) -> Bool {
        var hasSpared = false
        for session in sessions { if isSpared(session) { hasSpared = true } else { session.drain() } }
        return hasSpared
    }

    // MARK: All of them

    /// Bounds what the kernel holds for each connection, or bounds it no more.
    func boundBuffers(to bound: Int?) {
        let before = bufferBound
        bufferBound = bound
        // Once more while it holds, for those who have got a connection to the app since.
        guard bound != nil || before != nil else { return }
        for session in sessions { session.boundBuffers(to: bound) }
    }

    /// One deadline looks at all sessions now and then; one each would cost memory and be set anew with every byte. So a
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
