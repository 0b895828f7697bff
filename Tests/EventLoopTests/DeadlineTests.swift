import EventLoop
import Glibc
import Testing

/// What has come before a deadline is heard before it.
@Suite struct DeadlineTests {
    /// A pair of sockets, of which one is watched.
    private final class Line {
        private let ends: (near: CInt, far: CInt)
        private var event: IOEvent?
        var heard = 0

        init(on loop: EventLoop, _ onHeard: @escaping () -> Void = {}) throws {
            var numbers: [CInt] = [0, 0]
            try #require(socketpair(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0, &numbers) == 0)
            ends = (numbers[0], numbers[1])
            event = try IOEvent(ends.near, on: loop, for: .readable, trigger: .level) { [unowned self] _ in
                var byte: UInt8 = 0
                heard += recv(ends.near, &byte, 1, 0)
                onHeard()
            }
        }

        func say() { #expect(send(ends.far, "a", 1, 0) == 1) }

        deinit {
            event = nil
            close(ends.near)
            close(ends.far)
        }
    }

    @Test func itIsCalledOnce() throws {
        let loop = try EventLoop()
        var calls = 0
        let deadline = try Deadline(on: loop) { _ in
            calls += 1
            loop.stop()
        }
        deadline.schedule(after: .milliseconds(20))
        let start = MonotonicTime.now
        loop.run()
        #expect(MonotonicTime.now.since(start) >= .milliseconds(10))
        #expect(calls == 1 && !deadline.isScheduled)
        deadline.schedule(after: .milliseconds(1))
        deadline.cancel()
        #expect(!deadline.isScheduled)
    }

    /// The thread was away (here it sleeps, where a process would be stopped) while its deadline passed and more came than one look
    /// finds.
    @Test(arguments: [50, 200, 1200])
    func whoeverWasAwayHearsEverythingFirst(milliseconds: Int) throws {
        let loop = try EventLoop()
        let lines = try (0..<200).map { _ in try Line(on: loop) }
        loop.runOnce()
        var heard = -1
        var silence = Duration.zero
        let began = MonotonicTime.now
        let deadline = try Deadline(on: loop) { hearing in
            heard = lines.reduce(0) { $0 + $1.heard }
            silence = hearing.silence(since: began)
            loop.stop()
        }
        deadline.schedule(after: .milliseconds(20))
        for line in lines { line.say() }
        usleep(UInt32(milliseconds) * 1000)
        loop.run()
        #expect(heard == lines.count)
        // A long absence is no silence.
        if milliseconds > 1000 { #expect(silence < .milliseconds(500)) } else { #expect(silence >= .milliseconds(20)) }
    }

    /// Descriptors that are ready again and again must not put a deadline off forever.
    @Test func nobodyTalksItDown() throws {
        let loop = try EventLoop()
        var lines: [Line] = []
        for _ in 0..<100 {
            let index = lines.count
            lines.append(try Line(on: loop) { lines[index].say() })
        }
        for line in lines { line.say() }
        let deadline = try Deadline(on: loop) { _ in loop.stop() }
        deadline.schedule(after: .milliseconds(20))
        loop.run()
        #expect(lines.allSatisfy { $0.heard > 0 })
        lines = []
    }
}
