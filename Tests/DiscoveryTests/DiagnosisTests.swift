import Network
import Testing

@testable import Discovery

@Suite struct DiagnosisTests {
    private let app = ProcessDescription(id: 10, name: "python3")
    private let bridge = ProcessDescription(id: 20, name: "loopbridge")
    private let outside = [IPAddress("172.17.0.2")!, IPAddress("fd00::2")!]

    private func diagnosis(
        _ sockets: [(address: String, port: UInt16)], owners: [UInt64: [ProcessDescription]] = [:]
    ) -> Diagnosis {
        let endpoints = sockets.enumerated().map { index, socket in
            ListeningEndpoint(address: IPAddress(socket.address)!, port: socket.port, inode: UInt64(index))
        }
        let others = [IPAddress.loopbackV4, IPAddress("fe80::1")!]
        return Diagnosis(of: endpoints, owners: owners, addresses: outside + others)
    }

    @Test(
        arguments: [
            ("127.0.0.1", Diagnosis.Reach.loopback, "loopbridge 8000"), ("::1", .loopback, "loopbridge 8000"),
            ("127.0.0.5", .loopback, "loopbridge 8000:127.0.0.5:8000"), ("0.0.0.0", .outside, nil),
            ("::", .outside, nil),
            ("172.17.0.2", .outside, nil), ("127.0.0.11", .resolver, nil),
        ] as [(String, Diagnosis.Reach, String?)])
    func oneSocket(address: String, reach: Diagnosis.Reach, command: String?) throws {
        let finding = try #require(diagnosis([(address, 8000)], owners: [0: [app]]).findings.first)
        #expect(finding.reach == reach)
        #expect(finding.isReachable == (reach == .outside))
        #expect(finding.command == command)
        #expect(finding.caution == nil)
    }

    @Test func theOutsidesAddressesAreThoseThatItUses() throws {
        let diagnosis = diagnosis([("127.0.0.1", 8000)], owners: [0: [app]])
        #expect(diagnosis.outsideAddresses == outside)
        let text = try #require(diagnosis.findings.first).explanation(outside: outside)
        #expect(text.contains("python3 (pid 10)") && text.contains("172.17.0.2:8000"))
    }

    @Test func aBridgeMakesItReachable() {
        let sockets: [(String, UInt16)] = [("172.17.0.2", 8000), ("127.0.0.1", 8000), ("172.17.0.2", 8000)]
        let findings = diagnosis(sockets, owners: [0: [bridge], 1: [app], 2: [bridge]]).findings
        // Two workers' sockets are one listener to a person.
        #expect(findings.map(\.listensOn) == ["127.0.0.1:8000", "172.17.0.2:8000"])
        #expect(findings.map(\.verdict) == ["yes, bridged", "yes"])
        #expect(findings.allSatisfy { $0.command == nil })
    }

    @Test(arguments: [(UInt16(8000), "loopbridge 18000:127.0.0.1:8000"), (60000, "loopbridge 50000:127.0.0.1:60000")])
    func somebodyElseAnswers(port: UInt16, command: String) throws {
        let diagnosis = diagnosis([("127.0.0.1", port), ("172.17.0.2", port)], owners: [0: [app]])
        let finding = try #require(diagnosis.findings.first)
        #expect(!finding.isReachable)
        #expect(finding.command == command)
        #expect(finding.explanation(outside: outside).contains("another process"))
        #expect(diagnosis.hiddenOwners == 1)
    }

    private func diagnosis(ofDatagrams sockets: [(address: String, port: UInt16)]) -> Diagnosis {
        let endpoints = sockets.enumerated().map { index, socket in
            ListeningEndpoint(address: IPAddress(socket.address)!, port: socket.port, inode: UInt64(index))
        }
        // Somebody else on the same port of TCP, which is no answer to datagrams.
        let other = ListeningEndpoint(address: IPAddress("0.0.0.0")!, port: 53, inode: 99)
        return Diagnosis(of: [other], datagrams: endpoints, owners: [0: [app]], addresses: outside)
    }

    @Test(
        arguments: [
            ("127.0.0.1", "loopbridge 53/udp"), ("::1", "loopbridge 53/udp"),
            ("127.0.0.5", "loopbridge 53:127.0.0.5:53/udp"), ("172.17.0.2", nil), ("127.0.0.53", nil),
        ] as [(String, String?)])
    func oneThatTakesDatagrams(address: String, command: String?) throws {
        let diagnosis = diagnosis(ofDatagrams: [(address, 53)])
        let finding = try #require(diagnosis.findings.first { $0.transport == .udp })
        #expect(diagnosis.findings.count == 2)
        #expect(finding.listensOn.hasSuffix("\(address.contains(":") ? "[::1]" : address):53/udp"))
        #expect(finding.command == command)
        if command != nil {
            let text = finding.explanation(outside: outside)
            #expect(text.contains("datagrams from outside") && text.contains("172.17.0.2:53"))
        }
    }

    @Test func datagramsThatSomebodyElseTakes() throws {
        let finding = try #require(
            diagnosis(ofDatagrams: [("127.0.0.1", 53), ("172.17.0.2", 53)]).findings.first { $0.owners == [app] })
        #expect(!finding.isReachable)
        #expect(finding.command == "loopbridge 10053:127.0.0.1:53/udp")
    }

    @Test func aDebuggerCallsForCaution() throws {
        let finding = try #require(diagnosis([("127.0.0.1", 9229)]).findings.first)
        #expect(finding.caution?.contains("owns the process") == true)
        #expect(try #require(diagnosis([("0.0.0.0", 9229)]).findings.first).caution != nil)
    }

    @Test func whatTrustsEverybodyCallsForCaution() throws {
        let redis = ProcessDescription(id: 7, name: "redis-server")
        for address in ["127.0.0.1", "0.0.0.0"] {
            let byPort = try #require(diagnosis([(address, 6379)]).findings.first)
            let byName = try #require(diagnosis([(address, 7000)], owners: [0: [redis]]).findings.first)
            #expect(byPort.caution?.hasPrefix("a Redis server is behind this port") == true)
            #expect(byName.caution == byPort.caution)
        }
        #expect(try #require(diagnosis([("127.0.0.1", 8000)], owners: [0: [app]]).findings.first).caution == nil)
        #expect(try #require(diagnosis([("127.0.0.11", 6379)]).findings.first).caution == nil)
    }
}
