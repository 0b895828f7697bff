public import EventLoop
internal import Network

/// One worker's open connections to one route's app that nobody uses at present: kept for reuse, or opened ahead.
///
/// The last one that came is the first to go, so that those at the bottom age out when load falls. Each is watched: one
/// that the app ends, or speaks on after it was used, is dropped in the turn of the loop that tells of it, and taking one asks
/// the kernel once more. Taking and putting back allocate nothing. Belongs to its loop's thread.
public final class ConnectionPool {
    /// The bounds on what is kept.
    public struct Limits: Sendable, Equatable {
        /// The number of connections that are opened ahead.
        public var spare: Int
        /// The number of used connections that are kept.
        public var idle: Int
        /// The time that a used one is kept; apps close those that idle for long, often after 5 s.
        public var idleTimeout: Duration
        /// The most that one is used; nil for any number.
        public var maxRequests: Int?
        /// The greatest age of one; nil for any age.
        public var maxAge: Duration?

        public init(
            spare: Int = 0, idle: Int = 0, idleTimeout: Duration = .seconds(4), maxRequests: Int? = nil,
            maxAge: Duration? = nil
        ) {
            self.spare = spare
            self.idle = idle
            self.idleTimeout = idleTimeout
            self.maxRequests = maxRequests
            self.maxAge = maxAge
        }
    }

    /// Counts since the start.
    public struct Counters: Sendable, Equatable {
        /// Connections that were handed out.
        public var hits = 0
        /// The hits that had been used before.
        public var reuses = 0
        /// Requests for which there was none.
        public var misses = 0
        /// Dropped because of a limit, or because somebody else needs their permit.
        public var evictions = 0
        /// Dropped because of the app: it ended them, spoke out of turn, or has gone.
        public var stale = 0
    }

    private enum Reason {
        case limit
        case app
    }

    public var counters: Counters { counted }
    private var counted = Counters()
    private let limits: Limits
    private let coordinator: HoldCoordinator
    private let loop: EventLoop
    /// The last one that came is at the end.
    private var connections: [AppConnection] = []
    private var spares = 0
    private var expiryTimer: Timer?
    /// Called with how many are left when some are dropped, just before they are closed.
    var onDrop: ((Int) -> Void)?

    /// - Parameter coordinator: knows when the app has gone.
    init(_ limits: Limits, coordinator: HoldCoordinator, on loop: EventLoop) throws(SystemError) {
        self.limits = limits
        self.coordinator = coordinator
        self.loop = loop
        connections.reserveCapacity(limits.spare + limits.idle)
        // The timer is the pool's own, and goes with it.
        expiryTimer = try Timer(on: loop) { [unowned self] in expire() }
    }

    deinit {
        for connection in connections { connection.socket.onReady = nil }
    }

    /// The number of connections.
    public var count: Int { connections.count }

    /// The number of those that were opened ahead.
    public var spareCount: Int { spares }

    /// The number of connections that are yet to be opened ahead.
    var missingSpares: Int { limits.spare - spares }

    // MARK: Coming and going

    /// Keeps a connection, unless a limit or the connection itself says no; it is closed then.
    /// - Parameter now: the time, for those who know it already.
    /// - Returns: whether it is kept.
    @discardableResult
    public func put(_ connection: AppConnection, at now: MonotonicTime = .coarse) -> Bool {
        let isSpare = connection.uses == 0
        guard maySee(connection, isSpare: isSpare, at: now) else {
            counted.evictions += 1
            return false
        }
        connection.idleSince = now
        if connection.idleHandler == nil {
            // Its socket calls this only while the pool keeps both.
            connection.idleHandler = { [unowned self, unowned connection] in becameReady(connection, $0) }
        }
        let noted = connection.socket.unusedReadiness
        connection.socket.onReady = connection.idleHandler
        connections.append(connection)
        if isSpare {
            spares += 1
            // It may have been made and ended in one turn.
            if !noted.isEmpty { becameReady(connection, noted) }
        } else {
            while connections.count - spares > limits.idle { dropOldestUsed() }
            scheduleExpiry()
        }
        check()
        return true
    }

    private func maySee(_ connection: AppConnection, isSpare: Bool, at now: MonotonicTime) -> Bool {
        guard connection.appGeneration == coordinator.appGeneration else { return false }
        if isSpare { return spares < limits.spare }
        if let most = limits.maxRequests, connection.uses >= most { return false }
        return limits.idle > 0 && !isTooOld(connection, now: now)
    }

    /// The connection that came last and is sound; what is not is dropped on the way.
    /// - Parameter now: the time, for those who know it already.
    public func take(at now: MonotonicTime = .coarse) -> AppConnection? {
        while let connection = connections.popLast() {
            connection.socket.onReady = nil
            if connection.uses == 0 { spares -= 1 }
            switch fault(of: connection, at: now) {
            case nil:
                counted.hits += 1
                if connection.uses > 0 { counted.reuses += 1 }
                check()
                return connection
            case .limit: counted.evictions += 1
            case .app: counted.stale += 1
            }
            withExtendedLifetime(connection) { onDrop?(connections.count) }
        }
        counted.misses += 1
        return nil
    }

    /// Why a connection must not be handed out.
    private func fault(of connection: AppConnection, at now: MonotonicTime) -> Reason? {
        if connection.appGeneration != coordinator.appGeneration { return .app }
        if isTooOld(connection, now: now) || isIdleForTooLong(connection, now: now) { return .limit }
        return switch connection.socket.socket.idleState {
        case .quiet: nil
        // The beginning of a conversation that the client is to have, or an answer that nobody asked for.
        case .spokenTo: connection.uses == 0 ? nil : .app
        case .ended: .app
        }
    }

    private func isTooOld(_ connection: AppConnection, now: MonotonicTime) -> Bool {
        limits.maxAge.map { now.since(connection.opened) >= $0 } ?? false
    }

    private func isIdleForTooLong(_ connection: AppConnection, now: MonotonicTime) -> Bool {
        connection.uses > 0 && now.since(connection.idleSince) >= limits.idleTimeout
    }

    // MARK: Dropping

    /// Closes the oldest ones until no more than so many are left.
    func shrink(to count: Int) {
        guard count < connections.count else { return }
        drop(.limit, connections.prefix(connections.count - count).map(\.self))
    }

    /// Closes all; the app that they lead to has gone, or its clients.
    func removeAll(appHasGone: Bool) {
        drop(appHasGone ? .app : .limit, connections)
        expiryTimer?.cancel()
    }

    private func becameReady(_ connection: AppConnection, _ readiness: IOEvent.Readiness) {
        // Whoever gets the connection is to know of it.
        connection.socket.unusedReadiness.formUnion(readiness)
        let hasEnded = !readiness.isDisjoint(with: [.endOfStream, .failed])
        let hasSpoken = readiness.contains(.readable)
        if hasEnded || (hasSpoken && connection.uses > 0) { drop(.app, [connection]) }
    }

    private func dropOldestUsed() {
        guard let oldest = connections.first(where: { $0.uses > 0 }) else { return }
        drop(.limit, [oldest])
    }

    private func drop(_ reason: Reason, _ dropped: [AppConnection]) {
        guard !dropped.isEmpty else { return }
        for connection in dropped {
            guard let index = connections.lastIndex(where: { $0 === connection }) else { continue }
            connections.remove(at: index)
            connection.socket.onReady = nil
            if connection.uses == 0 { spares -= 1 }
            switch reason {
            case .limit: counted.evictions += 1
            case .app: counted.stale += 1
            }
        }
        check()
        withExtendedLifetime(dropped) { onDrop?(connections.count) }
    }

    private func scheduleExpiry() {
        guard let expiryTimer, !expiryTimer.isScheduled else { return }
        guard let oldest = connections.first(where: { $0.uses > 0 }) else { return }
        let now = MonotonicTime.coarse
        var left = limits.idleTimeout - now.since(oldest.idleSince)
        if let maxAge = limits.maxAge { left = min(left, maxAge) }
        expiryTimer.schedule(after: max(left, .milliseconds(1)))
    }

    private func expire() {
        let now = MonotonicTime.coarse
        drop(.limit, connections.filter { isTooOld($0, now: now) || isIdleForTooLong($0, now: now) })
        scheduleExpiry()
    }

    private func check() {
        assert(spares == connections.lazy.filter { $0.uses == 0 }.count, "the spares are counted wrongly")
        assert(0...max(limits.spare, 0) ~= spares && connections.count - spares <= limits.idle)
    }
}
