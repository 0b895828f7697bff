internal import Configuration
internal import EventLoop
internal import Memory
internal import Observability
internal import Proxy

/// Tells the workers and the log how short memory is, and looks again until it is not short any more. The worker that asks for
/// memory finds out first that there is little.
///
/// Belongs to the control loop.
final class MemoryControl {
    private let workers: WorkerPool
    private let log: Log
    /// Scheduled only as long as memory is short.
    private var timer: Timer?
    /// The level that the workers were told last.
    private var level = MemoryGauge.Level.ample

    private static let interval = Duration.seconds(1)

    init(_ workers: WorkerPool, log: Log, on loop: EventLoop) throws(SystemError) {
        self.workers = workers
        self.log = log
        // The timer ends with this, and so do its calls.
        timer = try Timer(on: loop) { [unowned self] in lookAgain() }
        workers.onMemoryNews = { [weak self] in self?.take($0) }
    }

    /// Looks for a limit of memory, and checks that it is enough.
    /// - Parameter wanted: the number of workers in the configuration.
    /// - Throws: ``MemoryNeed/Fault`` where it is not.
    func findNeed(of wanted: WorkerCount) throws(MemoryNeed.Fault) -> MemoryNeed {
        let reading = workers.memory.look().reading
        if reading?.source == .addressSpace { ProcessLimits.spareAddresses() }
        let need = MemoryNeed(reading)
        try need.check(workers: workers.count)
        guard let reading else { return need }
        log.debug("memory is limited", fields(reading))
        if case .auto = wanted, AvailableProcessors.count > workers.count {
            log.info(
                "fewer workers than processors: the limit of memory allows for no more",
                ["workers": .number(workers.count), "limit_bytes": .number(reading.limit)])
        }
        return need
    }

    private func take(_ state: MemoryWatch.State) {
        let before = level
        level = state.level
        tellWorkers(state)
        say(state, before: before)
        if state.level != .ample { timer?.schedule(after: Self.interval) }
    }

    private func tellWorkers(_ state: MemoryWatch.State) {
        workers.tell(.memory(state.level, socketsCount: state.reading?.includesSockets == true))
    }

    /// Looks again after free memory was returned to the system; without that, nobody would be let in again.
    private func lookAgain() {
        ProcessLimits.returnFreeMemory()
        let state = workers.memory.look()
        if state.level != .ample { tellWorkers(state) }
        if level != .ample { timer?.schedule(after: Self.interval) }
    }

    private func say(_ state: MemoryWatch.State, before: MemoryGauge.Level) {
        let about = state.reading.map(fields) ?? [:] as Log.Fields
        switch (before, state.level) {
        case (.ample, .tight):
            log.info("memory is getting short: idle connections to apps are closed, and less is parked", about)
        case (_, .critical) where before != .critical:
            log.warning(
                "memory is short: new clients are refused; raise the limit, or lower max_connections", about)
        case (.critical, .tight), (.critical, .ample):
            log.info("new clients are let in again: there is some memory left", about)
        case (.tight, .ample):
            log.info("memory is not short any more", about)
        default: break
        }
    }

    private func fields(_ reading: MemoryReading) -> Log.Fields {
        [
            "limit": .text(reading.source.rawValue), "limit_bytes": .number(reading.limit),
            "used_bytes": .number(reading.used),
        ]
    }
}

extension Snapshot.Memory {
    /// - Returns: nil where there is no limit.
    init?(_ state: MemoryWatch.State) {
        guard let reading = state.reading else { return nil }
        let level: Level =
            switch state.level {
            case .ample: .ample
            case .tight: .tight
            case .critical: .critical
            }
        self.init(
            source: reading.source.rawValue, limitBytes: reading.limit, usedBytes: reading.used, level: level,
            shortages: state.shortages)
    }
}
