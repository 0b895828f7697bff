import EventLoop
import Network
import Testing

@testable import Observability

@Suite struct AdminServerTests {
    @Test func allowsByAddress() throws {
        let sources = AdminServer.Sources(snapshot: { _ in }, configuration: { "" }, diagnosis: { _ in })
        let admin = try AdminServer(sources, on: try EventLoop())
        #expect(admin.isAllowed("203.0.113.9"))
        admin.access = AccessList(allow: [CIDR("10.0.0.0/8")!, CIDR("fd00::/8")!, CIDR("fe80::/10")!])
        for peer in ["10.1.2.3", "::ffff:10.1.2.3", "fd00::1", "fe80::1%eth0"] {
            #expect(admin.isAllowed(peer), "\(peer)")
        }
        for peer in ["11.0.0.1", "::ffff:11.0.0.1", "::1", "127.0.0.1", "", "localhost", "::10.1.2.3"] {
            #expect(!admin.isAllowed(peer), "\(peer)")
        }
        admin.access = AccessList(allow: [CIDR("0.0.0.0/0")!])
        #expect(admin.isAllowed("::ffff:11.0.0.1"))
        #expect(!admin.isAllowed("2001:db8::1"))
    }

    /// Whoever asks while a snapshot is being taken gets the next one, which has all that was before the question.
    @Test func takesOneSnapshotAtATime() throws {
        var taken: [(Snapshot) -> Void] = []
        let sources = AdminServer.Sources(snapshot: { taken.append($0) }, configuration: { "" }, diagnosis: { _ in })
        let admin = try AdminServer(sources, on: try EventLoop())
        var heard: [Int] = []
        func ask() { admin.takeSnapshot { heard.append($0.workers.count) } }
        ask()
        #expect(taken.count == 1)
        ask()
        ask()
        #expect(taken.count == 1)
        taken[0](MadeUp.snapshot(workers: [], []))
        #expect(heard == [0])
        #expect(taken.count == 2)
        ask()
        taken[1](MadeUp.snapshot(workers: [MadeUp.worker(0)], []))
        #expect(heard == [0, 1, 1])
        #expect(taken.count == 3)
        taken[2](MadeUp.snapshot(workers: [MadeUp.worker(0), MadeUp.worker(1)], []))
        #expect(heard == [0, 1, 1, 2])
        #expect(taken.count == 3)
    }

    @Test(arguments: [
        ("after=5", 5), ("x=1&after=7", 7), ("after=-1", -1), ("after=", nil), ("after=x", nil), ("", nil),
        ("before=3", nil), ("after=99999999999999999999", nil),
    ])
    func readsWhereToGoOn(query: String, number: Int?) {
        #expect(AdminAnswer.number(inQuery: query) == number)
    }
}
