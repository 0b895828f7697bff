import EventLoop
import Glibc
import Network
import TestSupport
import Testing

@Suite struct SocketTests {
    @Test(arguments: [IPAddress.loopbackV4, .loopbackV6])
    func aListenerAcceptsAndNamesItsClient(address: IPAddress) throws {
        let listener = try ListeningSocket(on: .ip(address, port: 0))
        let local = listener.localAddress!
        #expect(local.ipAddress == address)
        let client = try Socket(toReach: local)
        while client.connect(to: local) == .inProgress {}
        guard case .accepted(let server, from: let peer) = listener.accept() else {
            Issue.record("nobody was accepted")
            return
        }
        #expect(peer == client.localAddress)
        #expect(server.localAddress == local)
        if case .accepted = listener.accept() { Issue.record("one client was accepted twice") }
    }

    @Test func unixSocketsConnectByPath() throws {
        let path = "/tmp/loopbridge-test-\(getpid()).sock"
        unlink(path)
        defer { unlink(path) }
        let listener = try ListeningSocket(on: .unix(path: path))
        #expect(listener.localAddress == .unix(path: path))
        let client = try Socket(toReach: .unix(path: path))
        #expect(client.connect(to: .unix(path: path)) == .connected)
        guard case .accepted(_, from: .unix(path: "")) = listener.accept() else {
            Issue.record("nobody was accepted")
            return
        }
        let other = try Socket(toReach: .unix(path: "/nowhere"))
        #expect(other.connect(to: .unix(path: "/nowhere")) == .failed(ENOENT))
    }

    @Test func aSecondListenerFailsUnlessItSharesOnPurpose() throws {
        let first = try ListeningSocket(on: .ip(.loopbackV4, port: 0))
        let address = first.localAddress!
        #expect(throws: SystemError("bind", code: EADDRINUSE)) { _ = try ListeningSocket(on: address).number }
        let further = try ListeningSocket(on: address, sharing: .further)
        // Both get their share: among 200 clients, each listener takes some.
        var clients: [Peer] = []
        for _ in 0..<200 {
            let client = try Socket(toReach: address)
            while client.connect(to: address) == .inProgress {}
            clients.append(Peer(client))
        }
        var (byFirst, byFurther) = (0, 0)
        while case .accepted = first.accept() { byFirst += 1 }
        while case .accepted = further.accept() { byFurther += 1 }
        #expect(byFirst + byFurther == 200)
        #expect(byFirst > 20 && byFurther > 20)
    }

    @Test func nobodyListeningIsARefusal() throws {
        let address: SocketAddress
        do {
            let listener = try ListeningSocket(on: .ip(.loopbackV4, port: 0))
            address = listener.localAddress!
        }
        let client = try Socket(toReach: address)
        var result = client.connect(to: address)
        while result == .inProgress { result = client.connect(to: address) }
        #expect(result == .failed(ECONNREFUSED))
    }

    @Test func aSourceAddressIsChosenAndItsPortWhenItConnects() throws {
        let listener = try ListeningSocket(on: .ip(.loopbackV4, port: 0))
        let address = listener.localAddress!
        let source = IPAddress("127.5.6.7")!
        let client = try Socket(toReach: address)
        try client.bind(toSource: source)
        #expect(client.localAddress == .ip(source, port: 0))
        while client.connect(to: address) == .inProgress {}
        guard case .accepted(_, from: let peer) = listener.accept() else {
            Issue.record("nobody was accepted")
            return
        }
        #expect(peer.ipAddress == source)
        #expect(peer == client.localAddress)
    }

    @Test func anAddressOfSomebodyElseIsNoSource() throws {
        let client = try Socket(toReach: .ip(.loopbackV4, port: 1))
        #expect(throws: SystemError("bind", code: EADDRNOTAVAIL)) {
            try client.bind(toSource: IPAddress("192.0.2.1")!)
        }
    }

    @Test func aResetIsNoCleanEnd() throws {
        let (reset, victim) = try Peer.pair()
        #expect(reset.send([1, 2, 3]) == 3)
        reset.reset()
        victim.read()
        #expect(victim.received == [1, 2, 3])
        #expect(victim.end == ECONNRESET)
    }

    @Test func whatIsPeekedAtStays() throws {
        let loop = try EventLoop()
        let (sender, watched) = try Peer.watched(on: loop)
        #expect(sender.send([7, 8, 9]) == 3)
        var buffer: [UInt8] = [0, 0, 0, 0]
        for peek in [true, true, false] {
            var result = Socket.TransferResult.wouldBlock
            while result == .wouldBlock {
                result = buffer.withUnsafeMutableBytes { watched.socket.receive(into: $0, peek: peek) }
            }
            #expect(result == .moved(3))
            #expect(buffer[..<3] == [7, 8, 9])
        }
    }

    @Test func theInterfacesHaveLoopback() throws {
        let addresses = try InterfaceAddresses.current()
        #expect(addresses.contains { $0.address == .loopbackV4 })
    }

    @Test func theEphemeralPortsAreARange() {
        #expect(EphemeralPorts.range.lowerBound > 0)
    }

    @Test func readinessThatNobodyUsesIsKept() throws {
        let loop = try EventLoop()
        let (sender, watched) = try Peer.watched(on: loop)
        #expect(sender.send([1]) == 1)
        sender.finishSending()
        #expect(try loop.run(until: { watched.unusedReadiness.contains([.readable, .endOfStream]) }))
    }
}
