import Glibc
@testable import Network
import Testing

@Suite struct InheritedSocketsTests {
    @Test(
        arguments: [
            ([:], []), (["LISTEN_FDS": "0", "LISTEN_PID": "7"], []), (["LISTEN_FDS": "-1", "LISTEN_PID": "7"], []),
            (["LISTEN_FDS": "x", "LISTEN_PID": "7"], []),
            (["LISTEN_FDS": "2", "LISTEN_PID": "7"], ["unknown", "unknown"]),
            (["LISTEN_FDS": "2", "LISTEN_PID": "7", "LISTEN_FDNAMES": "web:api"], ["web", "api"]),
            (["LISTEN_FDS": "3", "LISTEN_PID": "7", "LISTEN_FDNAMES": "web::"], ["web", "unknown", "unknown"]),
            (["LISTEN_FDS": "2", "LISTEN_PID": "7", "LISTEN_FDNAMES": "web"], ["web", "unknown"]),
            (["LISTEN_FDS": "1", "LISTEN_PID": "7", "LISTEN_FDNAMES": "web:api"], ["web"]),
        ] as [([String: String], [String])])
    func namesThem(environment: [String: String], names: [String]) {
        let announcement = InheritedSockets.Announcement(environment, process: 7)
        #expect(announcement.names == names && !announcement.isForAnother)
    }

    @Test(arguments: ["8", "", "07x", nil]) func leavesThoseOfAnotherProcess(id: String?) {
        var environment = ["LISTEN_FDS": "1"]
        environment["LISTEN_PID"] = id
        let announcement = InheritedSockets.Announcement(environment, process: 7)
        #expect(announcement.names == [] && announcement.isForAnother)
    }

    @Test func seesWhatASocketIsGoodFor() throws {
        let listening = try ListeningSocket(on: .ip(.loopbackV4, port: 0))
        let (place, inode) = (listening.localAddress, listening.inode)
        let address = try #require(place)
        let seen = InheritedSocket(named: "web", number: listening.number)
        #expect(seen.kind == .listening && seen.address == address && !seen.isDualStack)
        #expect(seen.covers(address) && !seen.covers(.ip(.loopbackV4, port: 1)))
        let copied = try seen.listener().inode
        #expect(copied == inode)
        let other = try Socket(toReach: .ip(.loopbackV4, port: 1))
        #expect(InheritedSocket(named: "web", number: other.number).kind == .notListening)
        #expect(InheritedSocket(named: "web", number: 1 << 20).kind == .missing)
        let file = open("/dev/null", O_RDONLY)
        defer { close(file) }
        #expect(InheritedSocket(named: "web", number: file).kind == .other)
    }
}
