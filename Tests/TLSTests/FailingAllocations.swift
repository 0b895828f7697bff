import CLinux
import COpenSSL
import Glibc
import TLS
import TestSupport

/// OpenSSL's memory, of which one allocation after so many is refused, while the server's side is at work.
///
/// It is for a process of its own with one thread that uses OpenSSL: the library can be told of other functions only as long as
/// its own have not been used, and they hold for the whole process.
enum FailingAllocations {
    /// Which allocations fail.
    struct Plan {
        /// How many are granted before.
        var granted: Int
        /// Those that follow fail as well.
        var failsOn: Bool
    }

    /// Nil where none is to fail.
    nonisolated(unsafe) private static var plan: Plan?
    /// How many were asked for since ``begin(_:)``, while they might have failed.
    nonisolated(unsafe) private(set) static var asked = 0
    /// How many of them were refused.
    nonisolated(unsafe) private(set) static var refused = 0
    nonisolated(unsafe) private static var isArmed = false

    /// Has OpenSSL take its memory from here. It ends the process where OpenSSL refuses.
    /// - Parameter path: a file for what is told by ``note(_:)``, which outlives a crash.
    static func install(notesIn path: String) {
        notes = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        // Which starts OpenSSL, and tells it of the allocator that is replaced here.
        _ = TicketKeys()
        let isTaken = CRYPTO_set_mem_functions(
            { count, _, _ in FailingAllocations.isGranted ? clinux_allocate(count) : nil },
            { block, count, _, _ in count == 0 || FailingAllocations.isGranted ? clinux_resize(block, count) : nil },
            { block, _, _ in clinux_free(block) })
        require(isTaken == 1, "OpenSSL does not take other functions")
    }

    private static var isGranted: Bool {
        guard isArmed else { return true }
        asked += 1
        guard let plan, asked > plan.granted, plan.failsOn || refused == 0 else { return true }
        refused += 1
        // As the program's own allocator does.
        clinux_note_failed_allocation()
        return false
    }

    /// Starts to count; nothing fails but within ``armed(_:)``.
    static func begin(_ plan: Plan?) {
        self.plan = plan
        asked = 0
        refused = 0
        _ = clinux_allocation_has_failed()
    }

    /// Has allocations fail meanwhile.
    static func armed<Result>(_ body: () -> Result) -> Result {
        isArmed = true
        defer { isArmed = false }
        return body()
    }
}

/// Which of many allocations are tried: all with `LOOPBRIDGE_ALLOCATIONS=all`, otherwise each so-many-th, from a random one on
/// that `LOOPBRIDGE_SEED` sets.
struct AllocationChoice {
    private let isWhole = getenv("LOOPBRIDGE_ALLOCATIONS").map { String(cString: $0) } == "all"
    let seed = getenv("LOOPBRIDGE_SEED").flatMap { UInt64(String(cString: $0)) } ?? UInt64.random(in: 0..<1 << 32)
    private var random: SeededGenerator

    init() {
        random = SeededGenerator(seed: seed)
        note(isWhole ? "all allocations fail in turn" : "allocations that fail: LOOPBRIDGE_SEED=\(seed)")
        // Who waits for ever fails, too.
        alarm(isWhole ? 1800 : 300)
    }

    /// - Parameter count: about how many are tried of `total`.
    mutating func indexes(of total: Int, about count: Int) -> StrideTo<Int> {
        let step = isWhole ? 1 : max(total / count, 1)
        return stride(from: Int.random(in: 0..<step, using: &random), to: total, by: step)
    }
}

nonisolated(unsafe) private var notes: CInt = -1

/// Tells the test.
func note(_ text: String) {
    _ = (text + "\n").withCString { write(notes, $0, strlen($0)) }
}

/// Ends the process with a reason.
func require(_ condition: Bool, _ reason: @autoclosure () -> String = "", line: Int = #line) {
    if condition { return }
    note("line \(line): \(reason())")
    _exit(1)
}
