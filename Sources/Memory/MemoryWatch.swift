internal import EventLoop

/// Looks at how much memory there is and gives it out to the workers, so that together they never use what must stay free.
///
/// It has no timer: who wants memory looks, when what was given out is used up or was given out too long ago. Callable
/// from every thread.
public final class MemoryWatch: Sendable {
    /// The state of memory at one moment.
    public struct State: Sendable, Equatable {
        /// Nil where there is no limit.
        public var reading: MemoryReading?
        public var level: MemoryGauge.Level
        /// The number of times that memory was so short that nobody new was let in.
        public var shortages: UInt64
    }

    /// A worker's part until its next look.
    struct Grant {
        /// For whom it is to let in, in bytes.
        var forNewcomers: Int
        /// For whom it has let in; some more than for those who come.
        var forClients: Int
        /// The time that it holds.
        var period: Duration
        var includesSockets = false

        static let unlimited = Grant(forNewcomers: .max / 2, forClients: .max / 2, period: MemoryWatch.unlimitedPeriod)
    }

    private struct Account {
        var gauge = MemoryGauge()
        var reading: MemoryReading?
        var shortages: UInt64 = 0
        var granted: [(bytes: Int, at: MonotonicTime)?]
    }

    /// The time that a grant holds.
    static let period = Duration.seconds(1)
    /// The time that a grant holds where there is no limit: one may be set later.
    static let unlimitedPeriod = Duration.seconds(10)
    /// The time after which a worker that got too little may look again.
    static let shortestPeriod = Duration.milliseconds(20)

    private let probe: @Sendable () -> MemoryReading?
    private let onChange: @Sendable (State) -> Void
    private let account: Guarded<Account>

    /// - Parameters:
    ///   - workers: how many threads it is given out to.
    ///   - probe: reads what the nearest limit leaves; called on any thread, one at a time.
    ///   - onChange: called with every change of the level, on the thread that has seen it.
    public init(
        workers: Int, probe: @escaping @Sendable () -> MemoryReading? = { MemoryProbe.read() },
        onChange: @escaping @Sendable (State) -> Void
    ) {
        self.probe = probe
        self.onChange = onChange
        account = Guarded(Account(granted: Array(repeating: nil, count: workers)))
    }

    /// Looks now, and gives out nothing.
    @discardableResult
    public func look() -> State {
        let (state, isNews) = account.withLock { look(&$0) }
        if isNews { onChange(state) }
        return state
    }

    /// Looks now, and gives out a part of what is left.
    func grant(to worker: Int) -> Grant {
        let (grant, state, isNews) = account.withLock { account -> (Grant, State, Bool) in
            let (state, isNews) = look(&account)
            let now = MonotonicTime.coarse
            guard let reading = state.reading else {
                account.granted[worker] = nil
                return (.unlimited, state, isNews)
            }
            // What the others have been given may be in use without showing yet.
            var elsewhere = 0
            for (number, granted) in account.granted.enumerated() where number != worker {
                if let granted, now.since(granted.at) < Self.period { elsewhere += granted.bytes }
            }
            let parts = 2 * account.granted.count
            let forNewcomers = max(reading.spare - elsewhere, 0) / parts
            let forClients = max(reading.spare + reading.reserve / 2 - elsewhere, 0) / parts
            account.granted[worker] = (forNewcomers, now)
            let grant = Grant(
                forNewcomers: state.level == .critical ? 0 : forNewcomers, forClients: forClients, period: Self.period,
                includesSockets: reading.includesSockets)
            return (grant, state, isNews)
        }
        if isNews { onChange(state) }
        return grant
    }

    private func look(_ account: inout Account) -> (State, isNews: Bool) {
        account.reading = probe()
        let before = account.gauge.level
        let isNews = account.gauge.note(account.reading, at: .coarse)
        if account.gauge.level == .critical, before != .critical { account.shortages += 1 }
        return (
            State(reading: account.reading, level: account.gauge.level, shortages: account.shortages), isNews
        )
    }
}
