public import EventLoop

/// Writes lines on a thread of its own, so that nobody who has something to say waits for a slow reader.
///
/// At most 1 MiB waits for the reader, and as much is being written; what comes on top is dropped and counted. What cannot be
/// written, because the reader is gone or the disk is full, is lost and counted too. As soon as lines can be written again,
/// one of them says how many were lost.
public final class LogWriter: Sendable {
    private struct Pending {
        var bytes: [UInt8] = []
        /// Lines that were lost and not yet told of.
        var dropped: UInt64 = 0
        var droppedInAll: UInt64 = 0
        var isClosed = false
        /// The time to call ``LogWriter/onAlarm``.
        var alarm: MonotonicTime?

        /// Keeps a line for the thread.
        /// - Returns: whether nothing was waiting before.
        mutating func add(_ line: some Collection<UInt8>) -> Bool {
            let size = bytes.count + line.count + 1
            guard size <= LogWriter.capacity, !isClosed else {
                lose(LineOutput.Lost(now: 1, untold: 1))
                return false
            }
            let wasEmpty = bytes.isEmpty
            // An array left to itself would grow to twice the capacity.
            if size > bytes.capacity { bytes.reserveCapacity(min(max(size, 2 * bytes.capacity), LogWriter.capacity)) }
            bytes += line
            bytes.append(UInt8(ascii: "\n"))
            return wasEmpty
        }

        mutating func lose(_ lines: LineOutput.Lost) {
            dropped += lines.untold
            droppedInAll += lines.now
        }
    }

    private struct Helpers {
        var onDropped: @Sendable (UInt64) -> String? = { "\($0) log lines were dropped: nobody took them in time" }
        var onAlarm: @Sendable () -> Void = {}
    }

    /// The most bytes that wait for the reader.
    private static let capacity = 1 << 20

    private let pending = Guarded(Pending())
    private let helpers = Guarded(Helpers())
    private let wakeUp: WakeUp
    private let finished: WakeUp

    /// Starts the writer's thread.
    /// - Parameter destination: where the lines go; may block, and is closed with the thread.
    /// - Throws: ``SystemError`` when the system refuses a descriptor or a thread.
    public init(to destination: consuming Descriptor) throws(SystemError) {
        wakeUp = try WakeUp()
        finished = try WakeUp()
        let destination = Handoff(destination)
        try Thread.start(named: "log") { [self] in
            guard let destination = destination.take() else { return }
            run(destination)
            finished.send()
        }
    }

    /// Starts a writer to standard error, or to nowhere if that is closed.
    /// - Throws: ``SystemError`` when the system refuses a descriptor or a thread.
    public static func standardError() throws(SystemError) -> LogWriter {
        try LogWriter(to: Descriptor(duplicating: 2))
    }

    /// The line that says how many were lost, if one should. Called on the writer's thread.
    var onDropped: @Sendable (UInt64) -> String? {
        get { helpers.withLock { $0.onDropped } }
        set { helpers.withLock { $0.onDropped = newValue } }
    }

    /// Called on the writer's thread when the time has come that ``wake(at:)`` named; may write.
    var onAlarm: @Sendable () -> Void {
        get { helpers.withLock { $0.onAlarm } }
        set { helpers.withLock { $0.onAlarm = newValue } }
    }

    /// Adds a line, without its newline. Callable from every thread; never waits.
    public func write(_ line: String) {
        add(line.utf8)
    }

    /// Does the same with a line that is UTF-8 already.
    public func write(_ line: [UInt8]) {
        add(line)
    }

    /// The number of lines lost since the start.
    public var droppedLines: UInt64 { pending.withLock { $0.droppedInAll } }

    /// Has ``onAlarm`` called then, or earlier where an earlier time was named.
    func wake(at time: MonotonicTime) {
        let isEarlier = pending.withLock { pending in
            guard pending.alarm.map({ time < $0 }) ?? true else { return false }
            pending.alarm = time
            return true
        }
        if isEarlier { wakeUp.send() }
    }

    private func add(_ line: some Collection<UInt8>) {
        let wasEmpty = pending.withLock { $0.add(line) }
        if wasEmpty { wakeUp.send() }
    }

    /// Has everything written and ends the thread. Waits for the reader at most for `limit`.
    public func close(waitingAtMost limit: Duration = .seconds(1)) {
        pending.withLock { $0.isClosed = true }
        wakeUp.send()
        finished.wait(atMost: limit)
    }

    /// The thread's life. The lock is never held while something is being written.
    private func run(_ destination: borrowing Descriptor) {
        var output = LineOutput()
        while true {
            let (work, isAlarm) = pending.withLock { pending in
                let work = pending
                pending.bytes = []
                pending.dropped = 0
                let isAlarm = pending.alarm.map { $0 <= .now } ?? false
                if isAlarm { pending.alarm = nil }
                return (work, isAlarm)
            }
            let lost = output.write(work.bytes, dropped: work.dropped, notice: onDropped) { bytes in
                var written = 0
                // A reader that has gone away is no reason to stop carrying traffic.
                try? destination.write(bytes, written: &written)
                return written
            }
            if lost.untold > 0 { pending.withLock { $0.lose(lost) } }
            if isAlarm {
                onAlarm()
            } else if work.bytes.isEmpty {
                if work.isClosed { return }
                wait(until: work.alarm)
            }
        }
    }

    private func wait(until alarm: MonotonicTime?) {
        guard let alarm else { return wakeUp.wait() }
        if wakeUp.wait(atMost: max(alarm.since(.now), .zero)) { wakeUp.wait() }
    }
}
