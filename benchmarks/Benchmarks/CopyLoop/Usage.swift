import Benchmark
import CSystemCalls
import Glibc

/// What the calling thread has used up.
struct Usage {
    let nanoseconds: Int
    let systemCalls: Int

    static var now: Usage {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Usage(
            nanoseconds: Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_nsec), systemCalls: Int(system_calls_made()))
    }

    static func - (left: Usage, right: Usage) -> Usage {
        Usage(nanoseconds: left.nanoseconds - right.nanoseconds, systemCalls: left.systemCalls - right.systemCalls)
    }
}

extension BenchmarkMetric {
    // The unit is in the name: what a GiB, an exchange or a thousand of them cost.
    static var bulkRate: Self { .custom("Rate (MiB / s)", polarity: .prefersLarger, useScalingFactor: false) }
    static var bulkTime: Self { .custom("Relay CPU (ms / GiB)", useScalingFactor: false) }
    static var bulkCalls: Self { .custom("System calls / GiB", useScalingFactor: false) }

    static var exchangeRate: Self { .custom("Exchanges / s", polarity: .prefersLarger, useScalingFactor: false) }
    static var exchangeTime: Self { .custom("Relay CPU (ns / exchange)", useScalingFactor: false) }
    static var exchangeCalls: Self { .custom("System calls / 1000 exchanges", useScalingFactor: false) }
}
