import EventLoop
import Glibc
import Network
import Testing
import Upstream

@Suite(.timeLimit(.minutes(1))) struct ScarcityTests {
    /// In a process of its own, because the limit is the process's.
    @Test func withoutDescriptorsARequestFailsAtOnce() async {
        await #expect(processExitsWith: .success) {
            let loop = try EventLoop()
            let app = try App()
            app.listen()
            let route = try Route(to: [app.address], on: loop)
            let answers = Answers()
            try #require(try answers.ask(route[0], 0, answeredOn: loop) == .connected(app.address))
            // Nobody may open any more, whatever is open now.
            let openFiles = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
            var usual = rlimit()
            try #require(getrlimit(openFiles, &usual) == 0)
            var none = rlimit(rlim_cur: 0, rlim_max: usual.rlim_max)
            do {
                // What runs when the process ends may want to open files, as the leak checker does.
                defer { setrlimit(openFiles, &usual) }
                try #require(setrlimit(openFiles, &none) == 0)
                answers.ask(route[0], 1)
            }
            try #require(answers.answers[1] == .failed(EMFILE))
            try #require(route[0].waitingCount == 0)
        }
    }
}
