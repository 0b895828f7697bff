import EventLoop
import Glibc
import Synchronization
import Testing

@testable import Observability

@Suite(.timeLimit(.minutes(1))) struct LogWriterTests {
    @Test func linesComeOutInOrder() throws {
        let pipe = try Pipe()
        let writer = try LogWriter(to: pipe.takeWritingEnd())
        // As much as a pipe holds, so that nothing depends on the reader.
        for number in 0..<5000 { writer.write("line \(number)") }
        writer.close()
        #expect(try pipe.readToEnd() == (0..<5000).map { "line \($0)\n" }.joined())
    }

    @Test func aLineDoesNotWaitForTheNext() throws {
        let pipe = try Pipe()
        let writer = try LogWriter(to: pipe.takeWritingEnd())
        for number in 0..<20 {
            writer.write("line \(number)")
            try #require(try pipe.readSome() == "line \(number)\n")
        }
        writer.close()
    }

    @Test func everyThreadsLinesComeOutWholeAndInOrder() throws {
        let pipe = try Pipe()
        let writer = try LogWriter(to: pipe.takeWritingEnd())
        let running = Atomic(4)
        for thread in 0..<4 {
            try Thread.start(named: "writer-\(thread)") {
                for number in 0..<2000 { writer.write("\(thread) \(number)") }
                // The last one out closes, while the test reads.
                if running.subtract(1, ordering: .sequentiallyConsistent).newValue == 0 {
                    writer.close(waitingAtMost: .seconds(20))
                }
            }
        }
        var next = [0, 0, 0, 0]
        for line in try pipe.readToEnd().split(separator: "\n") {
            let numbers = line.split(separator: " ").compactMap { Int($0) }
            try #require(numbers.count == 2)
            #expect(numbers[1] == next[numbers[0]])
            next[numbers[0]] += 1
        }
        #expect(next == [2000, 2000, 2000, 2000])
    }

    @Test func whatNobodyReadsIsDroppedAndCounted() throws {
        let pipe = try Pipe()
        let writer = try LogWriter(to: pipe.takeWritingEnd())
        let line = String(repeating: "x", count: 999)
        let start = MonotonicTime.now
        // The pipe holds 64 KiB, and the writer 1 MiB twice at most: what it is writing and what waits.
        for _ in 0..<5000 { writer.write(line) }
        #expect(MonotonicTime.now.since(start) < .seconds(5))
        let closing = MonotonicTime.now
        writer.close(waitingAtMost: .milliseconds(50))
        let closed = MonotonicTime.now.since(closing)
        #expect(closed >= .milliseconds(50) && closed < .seconds(5))
        // The reader wakes up after all.
        let lines = try pipe.readToEnd().split(separator: "\n")
        let kept = lines.count { $0 == line }
        #expect(kept >= 1000 && kept <= 2200)
        let dropped = try lines.filter { $0 != line }.map { line in
            try #require(Int(line.drop { $0 == "(" }.prefix { $0.isNumber }))
        }
        #expect(!dropped.isEmpty)
        #expect(kept + dropped.reduce(0, +) == 5000)
        #expect(writer.droppedLines == UInt64(dropped.reduce(0, +)))
    }

    /// However long the reader sleeps, and whatever is written: the lines that it gets are those before, those that fitted, and
    /// those after it has woken up.
    @Test func aReaderThatWakesUpGetsTheLinesThatFollow() throws {
        let pipe = try Pipe()
        let writer = try LogWriter(to: pipe.takeWritingEnd())
        let line = String(repeating: "x", count: 999)
        for round in 0..<3 {
            let before = writer.droppedLines
            for _ in 0..<4000 { writer.write(line) }
            #expect(writer.droppedLines > before)
            var last = ""
            while !last.hasSuffix("\nround \(round)\n") {
                let some = try pipe.readSome()
                try #require(!some.isEmpty, "nothing comes any more, after \(last)")
                // Once there is room again, which may end while more is written: then this is dropped, and that is told.
                if (last.suffix(40) + some).contains("dropped") { writer.write("round \(round)") }
                last = String((last + some).suffix(200))
            }
        }
        writer.close()
    }

    @Test func whatADiskDoesNotTakeIsCounted() throws {
        let number = open("/dev/full", O_WRONLY | O_CLOEXEC)
        try #require(number >= 0)
        let writer = try LogWriter(to: Descriptor(owning: number))
        for number in 0..<100 { writer.write("line \(number)") }
        writer.close(waitingAtMost: .seconds(10))
        #expect(writer.droppedLines == 100)
    }

    @Test func isWokenInTimeForWhatIsToBeDone() throws {
        let pipe = try Pipe()
        let writer = try LogWriter(to: pipe.takeWritingEnd())
        writer.onAlarm = { [weak writer] in writer?.write("alarm") }
        let start = MonotonicTime.now
        writer.wake(at: start.advanced(by: .seconds(1000)))
        writer.wake(at: start.advanced(by: .milliseconds(100)))
        writer.wake(at: start.advanced(by: .seconds(2000)))
        #expect(try pipe.readSome() == "alarm\n")
        #expect(MonotonicTime.now.since(start) >= .milliseconds(100))
        writer.close()
        #expect(try pipe.readToEnd() == "")
    }

    @Test func aReaderThatIsGoneHoldsNobodyUp() throws {
        let pipe = try Pipe()
        pipe.stopReading()
        let writer = try LogWriter(to: pipe.takeWritingEnd())
        let start = MonotonicTime.now
        for number in 0..<20_000 { writer.write("line \(number)") }
        writer.close(waitingAtMost: .seconds(10))
        // The thread has come to its end, or closing would have taken that long.
        #expect(MonotonicTime.now.since(start) < .seconds(9))
        #expect(writer.droppedLines == 20_000)
    }

    @Test func aDestinationThatDoesNotBlockLosesNothingBeforeItsTime() throws {
        let pipe = try Pipe()
        try pipe.makeWritesNonBlocking()
        let writer = try LogWriter(to: pipe.takeWritingEnd())
        let line = String(repeating: "x", count: 999)
        // More than the pipe holds, and less than the writer may keep.
        for _ in 0..<500 { writer.write(line) }
        writer.close(waitingAtMost: .milliseconds(50))
        let lines = try pipe.readToEnd().split(separator: "\n")
        #expect(lines.count == 500)
        #expect(lines.allSatisfy { $0 == line })
    }

    @Test func whatIsWrittenAfterTheEndIsLostQuietly() throws {
        let pipe = try Pipe()
        let writer = try LogWriter(to: pipe.takeWritingEnd())
        writer.write("before")
        writer.close()
        writer.write("after")
        writer.close(waitingAtMost: .milliseconds(10))
        #expect(try pipe.readToEnd() == "before\n")
    }

    @Test func aLineThatIsTooLongIsCountedAtOnce() throws {
        let pipe = try Pipe()
        let writer = try LogWriter(to: pipe.takeWritingEnd())
        writer.write(String(repeating: "x", count: 2 << 20))
        writer.write("short")
        writer.close()
        let text = try pipe.readToEnd()
        #expect(text.contains("short\n"))
        #expect(text.contains("1 log lines were dropped"))
    }
}
