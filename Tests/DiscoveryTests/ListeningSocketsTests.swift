import Glibc
import Network
import Testing

@testable import Discovery

@Suite struct ListeningSocketsTests {
    private let header =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

    @Test func theIPv4TableIsRead() {
        let table =
            header + """
                   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 636 1 0000000000000000 100 0 0 10 0
                   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 18446744073709551615 1
                   2: 0B00007F:8B5D 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12 1 0000000000000000 100 0 0 10 0
                   3: 020011AC:1F40 010011AC:C350 01 00000000:00000000 00:00000000 00000000     0        0 700 1 0000000000000000 20 4 30 10 -1

                """
        #expect(
            ListeningSockets.parse(table) == [
                ListeningEndpoint(address: .loopbackV4, port: 8000, inode: 636),
                ListeningEndpoint(address: .anyV4, port: 22, inode: .max),
                ListeningEndpoint(address: .v4(0x7F00_000B), port: 35677, inode: 12),
            ])
    }

    @Test func theIPv6TableIsRead() {
        let rest = "00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0"
        let table =
            header + """
                   0: 00000000000000000000000001000000:1F90 \(rest) 1 1 0000000000000000 100 0 0 10 0
                   1: 00000000000000000000000000000000:0050 \(rest) 2 1 0000000000000000 100 0 0 10 0
                   2: B80D0120000000000000000002000000:FFFF \(rest) 3 1 0000000000000000 100 0 0 10 0
                   3: 0000000000000000FFFF00000100007F:1F90 \(rest) 4 1 0000000000000000 100 0 0 10 0
                   4: 000080FE00000000FF005450B00B00FE:1F90 \(rest) 5 1 0000000000000000 100 0 0 10 0
                """
        let addresses = ["::1", "::", "2001:db8::2", "::ffff:127.0.0.1", "fe80::5054:ff:fe00:bb0"]
        let ports: [UInt16] = [8080, 80, 65535, 8080, 8080]
        let endpoints = ListeningSockets.parse(table)
        #expect(endpoints.map(\.address.description) == addresses)
        #expect(endpoints.map(\.port) == ports)
        #expect(endpoints.map(\.inode) == [1, 2, 3, 4, 5])
    }

    @Test(arguments: [
        "", "\n", "   0:", "   0: 0100007F:1F40", "   0: 0100007F:1F40 00000000:0000 0A",
        // The inode is missing, or not a number.
        "   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0",
        "   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 x 1",
        "   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 -1 1",
        // The address is no address: without port, too large a port, too short, too long, not hexadecimal.
        "   0: 0100007F 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1",
        "   0: 0100007F: 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1",
        "   0: 0100007F:11F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1",
        "   0: 0100007F:1:2 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1",
        "   0: 7F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1",
        "   0: 0100007F01:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1",
        "   0: 0100007G:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1",
        "   0: 0000000000000000000000000100000:1F40 00000000:0000 0A 00000000:00000000 00:0 0 0 0 1 1",
        "   0: 0100007FGGGGGGGG:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1",
        "\u{0}\u{0} é 0A 0A 0A 0A 0A 0A 0A 0A 0A 0A",
    ])
    func whatIsNoLineOfATableIsLeftOut(line: String) {
        let good = "   1: 0100007F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 9 1"
        #expect(ListeningSockets.parse(header + line + "\n" + good).map(\.port) == [80])
        #expect(ListeningSockets.parse(header + line).isEmpty)
    }

    @Test func aTableThatBreaksOffGivesWhatItHas() {
        let line = "   1: 0100007F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 9 1\n"
        let table = header + line + line
        for length in 0...table.count { #expect(ListeningSockets.parse(String(table.prefix(length))).count <= 2) }
        #expect(ListeningSockets.parse("").isEmpty)
        #expect(ListeningSockets.parse(header).isEmpty)
    }

    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1", true), ("127.0.0.1", "127.0.0.2", false), ("0.0.0.0", "127.0.0.1", true),
        ("0.0.0.0", "::1", false), ("::", "::1", true), ("::", "127.0.0.1", true), ("::1", "127.0.0.1", false),
    ])
    func anEndpointAcceptsWhatArrivesAtIt(endpoint: String, destination: String, accepts: Bool) throws {
        let endpoint = ListeningEndpoint(address: try #require(IPAddress(endpoint)), port: 1, inode: 1)
        #expect(endpoint.accepts(try #require(IPAddress(destination))) == accepts)
    }

    @Test(arguments: [IPAddress.loopbackV4, .loopbackV6])
    func aListenerShowsUpWithItsProcess(address: IPAddress) throws {
        let inode: UInt64
        let port: UInt16
        do {
            let listener = try ListeningSocket(on: .ip(address, port: 0))
            port = try #require(listener.localAddress?.port)
            let found = try ListeningSockets.current().filter { $0.port == port && $0.address == address }
            try #require(found.count == 1)
            inode = found[0].inode
            let owners = ProcessDescription.owning(socketsWith: [inode])
            #expect(owners.contains { $0.id == Int(getpid()) })
            #expect(owners.allSatisfy { !$0.name.isEmpty && $0.description.hasSuffix("(pid \($0.id))") })
            _ = listener.number
        }
        #expect(try !ListeningSockets.current().contains { $0.inode == inode })
    }

    @Test func nobodyOwnsNothing() {
        #expect(ProcessDescription.owning(socketsWith: []).isEmpty)
        #expect(ProcessDescription.owning(socketsWith: [.max]).isEmpty)
    }
}
