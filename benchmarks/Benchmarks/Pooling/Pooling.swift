import Benchmark
import CAllocations
import EventLoop
import Network
import Upstream

/// What it costs to take a kept connection and to put it back, system calls included.
///
///     swift package benchmark --target Pooling
let benchmarks: @Sendable () -> Void = {
    register("pool: take and put back") { kept, count in
        guard let pool = kept.app.pool else { return }
        for _ in 0..<count {
            guard let connection = pool.take() else { return }
            pool.put(connection)
        }
    }
    register("pool: ask for a connection and give it back") { kept, count in
        for _ in 0..<count {
            // The answer has come before this returns.
            _ = kept.app.connect { if case .connected(let connection) = $0 { kept.app.giveBack(connection) } }
        }
    }
}

private func register(_ name: String, _ work: @escaping @Sendable (KeptConnections, Int) -> Void) {
    let metrics: [BenchmarkMetric] = [.timeEach, .allocations]
    let configuration = Benchmark.Configuration(
        metrics: metrics, units: Dictionary(uniqueKeysWithValues: metrics.map { ($0, .count) }),
        warmupIterations: 1, maxDuration: .seconds(1), maxIterations: 100)
    Benchmark(name, configuration: configuration) { benchmark in
        let kept = try KeptConnections(count: 8)
        let rounds = 100_000
        work(kept, 100)
        let hits = kept.hits
        benchmark.startMeasurement()
        let (start, before) = (MonotonicTime.now, allocations_made())
        work(kept, rounds)
        let (after, end) = (allocations_made(), MonotonicTime.now)
        benchmark.stopMeasurement()
        guard kept.hits == hits + rounds else { return benchmark.error("a connection was lost") }
        benchmark.measurement(.timeEach, Int(end.since(start) / .nanoseconds(rounds)))
        benchmark.measurement(.allocations, (after - before) * 1000 / rounds)
    }
}

extension BenchmarkMetric {
    // The unit is in the name: what one round, or a thousand of them, cost.
    static var timeEach: Self { .custom("Time (ns / round)", useScalingFactor: false) }
    static var allocations: Self { .custom("Allocations / 1000 rounds", useScalingFactor: false) }
}
