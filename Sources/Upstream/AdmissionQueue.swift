internal import EventLoop

/// The bound on a route's connections to its app (`upstream_connections`), and the line of those who wait for one.
///
/// There is one line for all workers, so that permits are dealt out in the order in which clients came. It is callable
/// from every thread. What a worker is told, it is told in the order in which it was decided.
///
/// When a route is changed while it runs, its successor goes on with the same queue: the connections that there are count
/// for both, and so do those who wait.
public final class AdmissionQueue: Sendable {
    /// A worker's side of a route, to which news goes.
    public struct Member: Hashable, Sendable {
        public let route: Int
        public let worker: Int

        public init(route: Int = 0, worker: Int) {
            self.route = route
            self.worker = worker
        }
    }

    /// News for a worker.
    public enum News: Sendable {
        /// It is your client's turn. If that has left, letting go of the permit passes it on.
        case granted(ticket: UInt64, AdmissionPermit)
        /// A client of another worker waits: close one of the connections that you keep.
        case closeIdle
    }

    /// The answer to a client who asks.
    enum Entry {
        case granted(AdmissionPermit)
        /// - isNews: it is a while since anybody had to wait.
        case waits(ticket: UInt64, isNews: Bool)
        /// The line is as long as it may be.
        case full(isNews: Bool)
    }

    /// The fate of a connection that nobody uses at present.
    enum IdleEntry {
        case keep
        /// It is for this client of the same worker, who was the first in line.
        case serve(ticket: UInt64)
        /// A client of another worker waits for its permit.
        case close
    }

    private struct State {
        /// The number of connections that there may be, and of clients that may wait for one.
        var limit: Int
        var length: Int
        /// Connections that there are or that are being made, kept ones included.
        var used = 0
        /// Those who wait, by whom to tell.
        var line = TicketLine<Member>()
        var lastTicket: UInt64 = 0
        /// The number of connections that each member may keep; those that it has beyond that it was told to close.
        var idle: [Member: Int] = [:]
        var lastWaitNews: MonotonicTime?
        var lastFullNews: MonotonicTime?
    }

    private let state: Guarded<State>
    private let tell: @Sendable (Member, News) -> Void

    private static let newsInterval = Duration.seconds(60)

    /// - Parameters:
    ///   - limit: how many connections the app may see.
    ///   - length: how many clients may wait for one.
    ///   - tell: brings news to a worker, through its mailbox; called on any thread, under a lock: it must keep what it is
    ///     given, and must not call back.
    public init(limit: Int, length: Int, tell: @escaping @Sendable (Member, News) -> Void) {
        state = Guarded(State(limit: limit, length: length))
        self.tell = tell
    }

    /// Says anew how many connections the app may see, and how many clients may wait. Those that there are stay.
    public func setBounds(limit: Int, length: Int) {
        let granted = state.withLock { state in
            state.limit = limit
            state.length = length
            var granted: [AdmissionPermit] = []
            while state.used < limit, let (ticket, member) = state.line.popFirst() {
                state.used += 1
                granted.append(grant(ticket, to: member))
            }
            check(state)
            return granted
        }
        withExtendedLifetime(granted) {}
    }

    /// Tells a waiting client's worker that it is its turn; under the lock.
    /// - Returns: the permit, to be let go of once the lock is free: the worker may have done with it before that, and then
    ///   it is we who give it back.
    private func grant(_ ticket: UInt64, to member: Member) -> AdmissionPermit {
        let permit = AdmissionPermit(in: self)
        tell(member, .granted(ticket: ticket, permit))
        return permit
    }

    /// The number of permits that are taken, and of clients that wait.
    public var occupancy: (used: Int, waiting: Int) {
        state.withLock { ($0.used, $0.line.count) }
    }

    /// Whether somebody waits for a permit, or more are taken than there are by now.
    var lacksPermits: Bool {
        state.withLock { !$0.line.isEmpty || $0.used > $0.limit }
    }

    // MARK: Clients

    /// Takes a permit for a worker's client, or enters it in the line.
    func enter(from member: Member) -> Entry {
        state.withLock { state in
            defer { check(state) }
            if state.used < state.limit {
                state.used += 1
                return .granted(AdmissionPermit(in: self))
            }
            guard state.line.count < state.length else { return .full(isNews: Self.isNews(&state.lastFullNews)) }
            state.lastTicket += 1
            state.line.append(state.lastTicket, member)
            if let keeper = state.idle.first(where: { $0.value > 0 })?.key {
                state.idle[keeper, default: 0] -= 1
                tell(keeper, .closeIdle)
            }
            return .waits(ticket: state.lastTicket, isNews: Self.isNews(&state.lastWaitNews))
        }
    }

    /// A waiting client has left. A permit that is on its way to it already falls back when it arrives.
    /// - Returns: whether it was still waiting; if not, its permit is on its way.
    @discardableResult
    func withdraw(_ ticket: UInt64) -> Bool {
        state.withLock { state in
            defer { check(state) }
            return state.line.remove(ticket) != nil
        }
    }

    /// Called by a permit that nobody has any more.
    func permitReturned() {
        let granted: AdmissionPermit? = state.withLock { state in
            defer { check(state) }
            if state.used <= state.limit, let (ticket, member) = state.line.popFirst() {
                return grant(ticket, to: member)
            }
            state.used -= 1
            return nil
        }
        withExtendedLifetime(granted) {}
    }

    // MARK: Connections that nobody uses

    /// A permit for a connection that is opened ahead: only where nobody needs it now.
    func permitForSpare() -> AdmissionPermit? {
        state.withLock { state in
            guard state.used < state.limit else { return nil }
            state.used += 1
            check(state)
            return AdmissionPermit(in: self)
        }
    }

    /// Asks whether a worker may keep a connection, which has its permit.
    func keep(for member: Member) -> IdleEntry {
        state.withLock { state in
            defer { check(state) }
            guard let first = state.line.first else {
                guard state.used <= state.limit else { return .close }
                state.idle[member, default: 0] += 1
                return .keep
            }
            guard first.payload == member, state.used <= state.limit else { return .close }
            _ = state.line.popFirst()
            return .serve(ticket: first.ticket)
        }
    }

    /// Takes one that a worker keeps into use.
    /// - Returns: false where all that are left are to be closed.
    func claimKept(by member: Member) -> Bool {
        state.withLock { state in
            guard let count = state.idle[member], count > 0 else { return false }
            state.idle[member] = count - 1
            return true
        }
    }

    /// The worker has fewer than it might keep.
    func keptLess(by member: Member, now count: Int) {
        state.withLock { state in
            let kept = min(state.idle[member] ?? 0, count)
            state.idle[member] = kept > 0 ? kept : nil
        }
    }

    /// The number of connections that a worker may keep.
    func mayKeep(_ member: Member) -> Int {
        state.withLock { $0.idle[member] ?? 0 }
    }

    // MARK: Rest

    private static func isNews(_ last: inout MonotonicTime?) -> Bool {
        let now = MonotonicTime.coarse
        if let last, now.since(last) < newsInterval { return false }
        last = now
        return true
    }

    /// Asserts the conditions that hold whenever nobody is inside.
    private func check(_ state: borrowing State) {
        // There may be more than the limit only where that was lowered.
        assert(state.used >= 0)
        assert(state.line.isEmpty || state.used >= state.limit, "clients wait while there are permits")
        assert(state.idle.values.allSatisfy { $0 >= 0 } && state.idle.values.reduce(0, +) <= state.used)
    }
}
