internal import EventLoop
internal import Proxy

/// Reports at intervals that the program is alive, as long as the control loop and every worker's loop turn.
///
/// Belongs to the control loop.
final class Watchdog {
    private let interval: Duration
    private let workers: WorkerPool
    private let sayAlive: (_ clients: Int) -> Void
    private var timer: Timer?

    /// Reports nothing before ``start()``.
    /// - Parameter sayAlive: called with the number of clients that are connected.
    init(
        every interval: Duration, over workers: WorkerPool, on loop: EventLoop,
        sayAlive: @escaping (_ clients: Int) -> Void
    ) throws(SystemError) {
        self.interval = interval
        self.workers = workers
        self.sayAlive = sayAlive
        // The timer ends with this, and so do its calls.
        timer = try Timer(on: loop) { [unowned self] in turn() }
    }

    func start() {
        timer?.schedule(after: interval)
    }

    private func turn() {
        timer?.schedule(after: interval)
        let asked = MonotonicTime.now
        workers.survey { [weak self] snapshots in
            guard let self, snapshots.allSatisfy({ $0.posted >= asked }) else { return }
            sayAlive(snapshots.reduce(0) { $0 + $1.connections })
        }
    }
}
