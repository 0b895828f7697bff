@testable import Access
import EventLoop
import Glibc
import HTTP1
import Passwords
import TestSupport
import Testing

@testable import Proxy

/// Who waits for the password thread is told, unless they have left, and not left waiting.
@Suite(.timeLimit(.minutes(1))) struct PasswordDeskTests {
    /// anna's is "secret".
    private static func file() throws -> PasswordFile {
        let path = "/tmp/loopbridge-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        defer { unlink(path) }
        let file = fopen(path, "w")
        fputs("anna:$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW\n", file)
        fclose(file)
        return try PasswordFile(at: path)
    }

    private static func credentials(_ password: String) -> BasicCredentials {
        BasicCredentials(user: "anna", password: Array(password.utf8))
    }

    private final class Bench {
        let loop: EventLoop
        let desk: PasswordDesk
        let thread: PasswordThread
        let file: PasswordFile
        var verdicts: [PasswordDesk.Verdict] = []
        private var event: IOEvent?

        /// - Parameter isHeard: whether what the thread finds out comes back.
        init(wait: Duration = .seconds(60), isHeard: Bool = true) throws {
            loop = try EventLoop()
            thread = try PasswordThread()
            file = try PasswordDeskTests.file()
            let mailbox = try Mailbox<(ticket: UInt64, isRight: Bool)>()
            desk = try PasswordDesk(on: loop, wait: wait) { if isHeard { mailbox.post(($0, $1)) } }
            event = try mailbox.open(on: loop) { [unowned self] in desk.receive($0.ticket, isRight: $0.isRight) }
        }

        func ask(_ password: String, of thread: PasswordThread?) -> PasswordTicket? {
            desk.ask(thread, whether: PasswordDeskTests.credentials(password), areRightBy: file) { [unowned self] in
                verdicts.append($0)
            }
        }
    }

    @Test(arguments: [("secret", PasswordDesk.Verdict.right), ("Secret", .wrong)])
    func tellsWhatWasFoundOut(password: String, verdict: PasswordDesk.Verdict) throws {
        let bench = try Bench()
        let ticket = bench.ask(password, of: bench.thread)
        #expect(ticket != nil && bench.verdicts.isEmpty && bench.desk.waiting == 1)
        #expect(try bench.loop.run(until: { !bench.verdicts.isEmpty }))
        #expect(bench.verdicts == [verdict] && bench.desk.waiting == 0)
    }

    @Test func nobodyWaitsForLongerThanTheLimit() throws {
        let bench = try Bench(wait: .milliseconds(50), isHeard: false)
        let first = bench.ask("secret", of: bench.thread)
        #expect(try bench.loop.run(until: { bench.verdicts.count == 1 }))
        // The limit is for each, whenever it has come.
        let second = bench.ask("secret", of: bench.thread)
        let third = bench.ask("secret", of: bench.thread)
        #expect(try bench.loop.run(until: { bench.verdicts.count == 3 }))
        #expect(bench.verdicts == [.tooLate, .tooLate, .tooLate] && bench.desk.waiting == 0)
        // What is found out after all concerns nobody any more.
        bench.desk.receive(1, isRight: true)
        #expect(bench.verdicts.count == 3)
        withExtendedLifetime((first, second, third)) {}
    }

    @Test func whoHasLeftIsToldNothing() throws {
        let bench = try Bench(wait: .milliseconds(50), isHeard: false)
        var ticket = bench.ask("secret", of: bench.thread)
        #expect(ticket != nil && bench.desk.waiting == 1)
        ticket = nil
        #expect(bench.desk.waiting == 0)
        let other = bench.ask("secret", of: bench.thread)
        #expect(try bench.loop.run(until: { bench.verdicts.count == 1 }))
        #expect(bench.verdicts == [.tooLate])
        withExtendedLifetime(other) {}
    }

    @Test func withoutAThreadThereIsNoTicket() throws {
        let bench = try Bench()
        #expect(bench.ask("secret", of: nil) == nil && bench.desk.waiting == 0)
    }

    @Test func aFullQueueGivesNoTicket() throws {
        let bench = try Bench(isHeard: false)
        var tickets: [PasswordTicket?] = []
        // The thread may take some out meanwhile, each of which takes it longer than it takes us to ask.
        for _ in 0..<PasswordThread.longestQueue * 8 where tickets.allSatisfy({ $0 != nil }) {
            tickets.append(bench.ask("secret", of: bench.thread))
        }
        #expect(tickets.contains { $0 == nil } && tickets.count > PasswordThread.longestQueue)
        #expect(bench.desk.waiting == tickets.count - 1)
    }
}
