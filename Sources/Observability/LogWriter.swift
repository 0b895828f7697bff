public import EventLoop

/// Writes lines on a thread of its own, so that nobody who has something to say waits for a slow reader.
///
/// What the reader does not take in time is dropped, and the log says how many lines that were.
public final class LogWriter: Sendable {
    private struct Pending {
        var bytes: [UInt8] = []
        var dropped = 0
        var isClosed = false
    }

    /// How many bytes may wait for the reader; what comes on top is dropped.
    private static let capacity = 1 << 20

    private let pending = Guarded(Pending())
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

    /// Adds a line, without its newline. Callable from every thread; never waits.
    public func write(_ line: String) {
        add(line.utf8)
    }

    /// Does the same with a line that is UTF-8 already.
    public func write(_ line: [UInt8]) {
        add(line)
    }

    private func add(_ line: some Collection<UInt8>) {
        let wasEmpty = pending.withLock { pending in
            guard pending.bytes.count + line.count < Self.capacity, !pending.isClosed else {
                pending.dropped += 1
                return false
            }
            let wasEmpty = pending.bytes.isEmpty
            pending.bytes += line
            pending.bytes.append(UInt8(ascii: "\n"))
            return wasEmpty
        }
        if wasEmpty { wakeUp.send() }
    }

    /// Has everything written and ends the thread. Waits for the reader at most for `limit`.
    public func close(waitingAtMost limit: Duration = .seconds(1)) {
        pending.withLock { $0.isClosed = true }
        wakeUp.send()
        finished.wait(atMost: limit)
    }

    private func run(_ destination: borrowing Descriptor) {
        while true {
            let work = pending.withLock { pending in
                let work = pending
                pending.bytes = []
                pending.dropped = 0
                return work
            }
            // A reader that has gone away is no reason to stop carrying traffic.
            try? destination.write(work.bytes)
            if work.dropped > 0 {
                try? destination.write(Array("(\(work.dropped) log lines were dropped: too slow a reader)\n".utf8))
            }
            if work.bytes.isEmpty {
                if work.isClosed { return }
                wakeUp.wait()
            }
        }
    }
}
