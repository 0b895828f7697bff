import EventLoop
import Glibc
import Testing

@testable import Supervisor

@Suite(.timeLimit(.minutes(1))) struct ChildLifeTests {
    private func start(_ command: [String]) throws -> pid_t {
        try ChildProcess.start(command, signals: InheritedSignals())
    }

    /// Looks again and again until the child is said to do something else than this.
    private func next(after moments: [ChildLife.Moment], _ life: ChildLife) -> ChildLife.Moment {
        while true {
            let now = life.now
            if !moments.contains(now) { return now }
            usleep(500)
        }
    }

    @Test func isKilled() throws {
        let life = ChildLife()
        #expect(life.now == .lives)
        let child = try start(["sleep", "1000"])
        life.start(child)
        #expect(life.now == .lives)
        kill(child, SIGKILL)
        // To look takes nothing from whoever waits for it.
        for _ in 0..<2 {
            #expect(next(after: [.lives, .isEnding], life) == .hasEnded(.killed(signal: SIGKILL)))
        }
        #expect(waitpid(child, nil, 0) == child)
        // Until it is noted.
        #expect(life.now == .isEnding)
        life.end(.killed(signal: SIGKILL))
        #expect(life.now == .hasEnded(.killed(signal: SIGKILL)))
    }

    @Test func exits() throws {
        let life = ChildLife()
        let child = try start(["sh", "-c", "exit 3"])
        life.start(child)
        #expect(next(after: [.lives, .isEnding], life) == .hasEnded(.exited(3)))
        waitpid(child, nil, 0)
    }
}
