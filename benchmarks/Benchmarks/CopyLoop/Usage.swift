import Benchmark
import CSystemCalls
import Glibc

/// What the calling thread, or all of them, have used up; times are CPU times in nanoseconds.
struct Usage {
    let threadTime: Int
    let threadSystemCalls: Int
    let processTime: Int

    static var now: Usage {
        Usage(
            threadTime: read(CLOCK_THREAD_CPUTIME_ID), threadSystemCalls: Int(system_calls_made()),
            processTime: read(CLOCK_PROCESS_CPUTIME_ID))
    }

    private static func read(_ clock: clockid_t) -> Int {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_nsec)
    }
}

extension BenchmarkMetric {
    // The unit is in the name: what a GiB, an exchange or a thousand of them cost.
    static var bulkRate: Self { .custom("Rate (MiB / s)", polarity: .prefersLarger, useScalingFactor: false) }
    static var bulkTime: Self { .custom("Relay CPU (ms / GiB)", useScalingFactor: false) }
    static var bulkTimeOfAll: Self { .custom("CPU of all threads (ms / GiB)", useScalingFactor: false) }
    static var bulkCalls: Self { .custom("System calls / GiB", useScalingFactor: false) }

    static var exchangeRate: Self { .custom("Exchanges / s", polarity: .prefersLarger, useScalingFactor: false) }
    static var exchangeTime: Self { .custom("Relay CPU (ns / exchange)", useScalingFactor: false) }
    static var exchangeTimeOfAll: Self { .custom("CPU of all threads (ns / exchange)", useScalingFactor: false) }
    static var exchangeCalls: Self { .custom("System calls / 1000 exchanges", useScalingFactor: false) }
}
