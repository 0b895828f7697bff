import CLinux
import EventLoop
import Glibc
import Testing

@testable import Network

/// What the kernel makes of a filter is what the list says.
@Suite struct SourceFilterTests {
    /// A pair of sockets, of which one looks at datagrams by a filter.
    private struct Sieve: ~Copyable {
        private var ends: [CInt] = [-1, -1]

        init() { #expect(socketpair(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0, &ends) == 0) }

        deinit { for end in ends { close(end) } }

        func use(_ program: [sock_filter]) {
            #expect(clinux_attach_filter(ends[1], program, UInt16(program.count)) == 0, "errno \(errno)")
        }

        /// Whether this passes.
        func passes(_ words: [UInt32]) -> Bool {
            let bytes = words.map(\.bigEndian)
            let count = bytes.count * MemoryLayout<UInt32>.size
            #expect(send(ends[0], bytes, count, 0) == count)
            var scratch: [UInt32] = [0, 0, 0, 0]
            return recv(ends[1], &scratch, 16, CInt(MSG_DONTWAIT)) == count
        }
    }

    private static func words(_ address: IPAddress) -> [UInt32] {
        switch address {
        case .v4(let bits): [bits]
        case .v6(let high, let low):
            [high >> 32, high, low >> 32, low].map { UInt32(truncatingIfNeeded: $0) }
        }
    }

    /// Few values, so that blocks lie within each other and share words, and the ends of the space.
    private static func address(_ family: IPAddress.Family) -> IPAddress {
        func word() -> UInt32 {
            switch Int.random(in: 0..<5) {
            case 0: 0
            case 1: .max - .random(in: 0...2)
            case 2: 0x7FFF_FFFF + .random(in: 0...1)
            case 3: .random(in: 0...3)
            default: .random(in: 0 ... .max)
            }
        }
        func pair() -> UInt64 { UInt64(word()) << 32 | UInt64(word()) }
        return family == .v4 ? .v4(word()) : .v6(pair(), pair())
    }

    private static func neighbours(_ address: IPAddress) -> [IPAddress] {
        switch address {
        case .v4(let bits): return [.v4(bits), .v4(bits &- 1), .v4(bits &+ 1)]
        case .v6(let high, let low):
            let bits = UInt128(high) << 64 | UInt128(low)
            return [bits, bits &- 1, bits &+ 1].map {
                .v6(UInt64(truncatingIfNeeded: $0 >> 64), UInt64(truncatingIfNeeded: $0))
            }
        }
    }

    @Test(arguments: IPAddress.Family.allCases)
    func agreesWithTheList(family: IPAddress.Family) throws {
        let width = family == .v4 ? 32 : 128
        func blocks(_ most: Int) -> [CIDR] {
            (0..<Int.random(in: 0...most)).map { _ in
                CIDR(containing: Self.address(family), prefixLength: .random(in: 0...width))
            }
        }
        let sieve = Sieve()
        var verdicts: Set<Bool> = []
        // The last ones have jumps that are longer than a conditional one can be.
        for size in Array(0..<150).map({ $0 % 12 }) + [200, 400, 600] {
            let list = AccessList(allow: blocks(size), deny: blocks(size))
            let program = try #require(SourceFilter.decision(list, for: family, addressAt: 0))
            sieve.use(program)
            let bases = (list.allow + list.deny).map(\.base)
            let addresses = (0..<20).map { _ in Self.address(family) } + bases.flatMap(Self.neighbours)
            for address in addresses {
                // A mapped address is an IPv4 one to the list; sockets for IPv6 alone never see one.
                guard address.unmapped == address else { continue }
                let isAdmitted = list.admits(address)
                verdicts.insert(isAdmitted)
                if sieve.passes(Self.words(address)) != isAdmitted {
                    Issue.record("\(address): allow \(list.allow), deny \(list.deny)")
                    return
                }
            }
        }
        #expect(verdicts.count == 2)
    }

    @Test func thousandsOfBlocksAreTooMany() {
        let blocks = (0..<20_000).map { CIDR(base: .v4($0 << 8 | 1), prefixLength: 32)! }
        #expect(SourceFilter(AccessList(deny: blocks), for: .v4) == nil)
        #expect(SourceFilter(AccessList(deny: blocks), for: .v6) != nil)
        #expect(SourceFilter(AccessList(deny: Array(blocks.prefix(500))), for: .v4) != nil)
    }

    private static func connect(from source: IPAddress, to listener: SocketAddress) throws -> Socket {
        let client = try Socket(toReach: listener)
        let isBound = SocketAddress.ip(source, port: 0).withKernelForm { bind(client.number, $0, $1) } == 0
        #expect(isBound)
        _ = client.connect(to: listener)
        return client
    }

    @Test(arguments: [
        (IPAddress.loopbackV4, "127.0.0.9", "127.0.0.8/30"), (.loopbackV6, "::1", "::/127"),
    ])
    func dropsWhatComesFromTheDenied(address: IPAddress, source: String, denied: String) throws {
        let listener = try ListeningSocket(on: .ip(address, port: 0))
        let local = listener.localAddress!
        let source = try #require(IPAddress(source))
        let before = try listener.droppedSegments
        func isLetIn() throws -> Bool {
            let client = try Self.connect(from: source, to: local)
            defer { withExtendedLifetime(client) {} }
            // On loopback, it is there or it is dropped when connect() returns.
            if case .accepted = listener.accept() { return true }
            return false
        }
        #expect(try isLetIn())
        let filter = SourceFilter(AccessList(deny: [CIDR(denied)!]), for: address.family)
        try listener.attach(try #require(filter))
        #expect(try !isLetIn())
        let dropped = try listener.droppedSegments &- before
        #expect(dropped >= 1)
        // Of the other family, and nothing of it.
        let other = SourceFilter(AccessList(deny: [CIDR(denied)!]), for: address.family == .v4 ? .v6 : .v4)
        try listener.attach(try #require(other))
        #expect(try isLetIn())
        try listener.attach(try #require(filter))
        #expect(try !isLetIn())
        listener.detachFilter()
        #expect(try isLetIn())
    }

    /// What was accepted while there was a filter goes on whatever the next one says.
    @Test func whoIsInStaysIn() throws {
        let listener = try ListeningSocket(on: .ip(.loopbackV4, port: 0))
        let local = listener.localAddress!
        let strict = AccessList(deny: [CIDR("127.0.0.9")!])
        try listener.attach(try #require(SourceFilter(strict, for: .v4)))
        let client = try Self.connect(from: IPAddress("127.0.0.8")!, to: local)
        guard case .accepted(let server, from: _) = listener.accept() else {
            Issue.record("the client was not let in")
            return
        }
        let next = AccessList(deny: [CIDR("127.0.0.8")!])
        try listener.attach(try #require(SourceFilter(next, for: .v4)))
        let hello: [UInt8] = [1, 2, 3]
        #expect(hello.withUnsafeBytes { client.send($0) } == .moved(3))
        var scratch: [UInt8] = [0, 0, 0, 0]
        #expect(scratch.withUnsafeMutableBytes { server.receive(into: $0) } == .moved(3))
    }
}
