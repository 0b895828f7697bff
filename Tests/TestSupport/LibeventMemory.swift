internal import CLibevent
internal import EventLoop
internal import Glibc

/// Lets libevent's allocations fail, on the calling thread alone.
public enum LibeventMemory {
    private struct Plan {
        /// How many allocations go well before one fails; nil where none fails.
        var left: Int?
        var all = false
        var hasFailed = false
    }

    private static let plans = Guarded<[pthread_t: Plan]>([:])

    private static let isInstalled: Void = event_set_mem_functions(
        { count in LibeventMemory.refuses() ? nil : malloc(count) },
        { block, count in LibeventMemory.refuses() ? nil : realloc(block, count) }, { free($0) })

    private static func refuses() -> Bool {
        let refuses = plans.withLock { plans in
            guard var plan = plans[pthread_self()] else { return false }
            var refuses = plan.all
            if let left = plan.left {
                refuses = left == 0
                plan.left = left == 0 ? nil : left - 1
            }
            plan.hasFailed = plan.hasFailed || refuses
            plans[pthread_self()] = plan
            return refuses
        }
        if refuses { errno = ENOMEM }
        return refuses
    }

    private static func run(_ plan: Plan, _ body: () throws -> Void) rethrows -> Bool {
        _ = isInstalled
        plans.withLock { $0[pthread_self()] = plan }
        defer { plans.withLock { $0[pthread_self()] = nil } }
        try body()
        return plans.withLock { $0[pthread_self()]?.hasFailed ?? false }
    }

    /// Runs `body` while no allocation succeeds.
    public static func withoutAny(_ body: () throws -> Void) rethrows {
        _ = try run(Plan(all: true), body)
    }

    /// Runs `body` again and again: its first allocation fails, then only its second one, and so on until it makes no more.
    /// - Parameter body: what may throw where an allocation fails.
    /// - Returns: how many allocations there are.
    public static func failingInTurn(_ body: () throws -> Void) rethrows -> Int {
        for count in 0... {
            if try !run(Plan(left: count), body) { return count }
        }
        return 0
    }

    /// Runs `body` while all allocations go well, within one of the others.
    public static func restored<Result>(_ body: () throws -> Result) rethrows -> Result {
        let plan = plans.withLock { $0.removeValue(forKey: pthread_self()) }
        defer { plans.withLock { $0[pthread_self()] = plan.map { Plan(left: nil, hasFailed: $0.hasFailed) } } }
        return try body()
    }
}
