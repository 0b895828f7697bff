import EventLoop
import Glibc
import Network
import TestSupport
import Testing

@testable import Relay

@Suite(.timeLimit(.minutes(1))) struct DatagramRelayTests {
    /// A relay between a client's socket and an app's, with an owner that does as it is told.
    private final class Bridge: DatagramRelay.Owner {
        let loop: EventLoop
        let account = DatagramAccount()
        let queue = FlowQueue()
        var relay: DatagramRelay?
        /// Where the app may be.
        var candidates: [SocketAddress]
        var preferred = 0
        var ends: [DatagramRelay.End] = []
        var refusal: DatagramRelay.Refusal?
        let address: SocketAddress

        init(to candidates: [SocketAddress]) throws {
            loop = try EventLoop()
            self.candidates = candidates
            let socket = try DatagramSocket(listeningOn: .ip(.loopbackV4, port: 0))
            address = socket.localAddress!
            relay = DatagramRelay(socket, in: try DatagramWorkspace(on: loop), account: account, owner: self)
            try relay?.startWatching()
        }

        func flow(
            for path: DatagramPath, attempt: Int, of relay: DatagramRelay
        ) throws(DatagramRelay.Refusal) -> DatagramFlow {
            if let refusal { throw refusal }
            guard attempt < candidates.count else { throw .nobodyListens }
            do {
                let flow = try relay.addFlow(
                    path,
                    to: DatagramFlow.Upstream(
                        address: candidates[preferred], candidate: preferred, mayBeElsewhere: candidates.count > 1),
                    on: DatagramSocket(connectedTo: candidates[preferred]))
                queue.append(flow)
                return flow
            } catch {
                throw .noSocket
            }
        }

        func ended(_ flow: DatagramFlow, _ end: DatagramRelay.End) {
            ends.append(end)
            if end == .refused { preferred = (flow.upstream.candidate + 1) % candidates.count }
        }
    }

    /// A socket at either end.
    private struct End: ~Copyable {
        let socket: DatagramSocket
        private let batch = DatagramBatch()

        init(listening address: IPAddress = .loopbackV4, port: UInt16 = 0) throws {
            socket = try DatagramSocket(listeningOn: .ip(address, port: port))
        }

        init(to address: SocketAddress) throws { socket = try DatagramSocket(connectedTo: address) }

        var address: SocketAddress { socket.localAddress! }

        func send(_ bytes: [UInt8]) {
            _ = bytes.withUnsafeBytes { Glibc.send(socket.number, $0.baseAddress, $0.count, 0) }
        }

        /// What has arrived, and from whom; each is sent back where that is wanted.
        func receive(echo: Bool = false) -> [[UInt8]] {
            var all: [[UInt8]] = []
            while true {
                batch.clear()
                guard case .received(let count) = batch.receive(from: socket, limit: 64) else { return all }
                let outgoing = OutgoingDatagrams()
                for index in 0..<count {
                    all += DatagramRelayTests.separate(batch[index])
                    if echo { outgoing.append(batch[index], to: batch.path(of: index)) }
                }
                if echo { _ = outgoing.send(on: socket) }
            }
        }
    }

    /// The datagrams that came as one.
    private static func separate(_ received: DatagramBatch.Received) -> [[UInt8]] {
        let bytes = Array(received.bytes)
        let size = max(received.segment == 0 ? bytes.count : received.segment, 1)
        if bytes.isEmpty { return [[]] }
        return stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0..<min($0 + size, bytes.count)]) }
    }

    /// An address of loopback where nobody listens.
    private func nowhere() throws -> SocketAddress {
        let end = try End()
        return end.address
    }

    @Test func datagramsGoThereAndBack() throws {
        let app = try End()
        let bridge = try Bridge(to: [app.address])
        let client = try End(to: bridge.address)
        let other = try End(to: bridge.address)
        let sent: [[UInt8]] = [[1], [], [UInt8](repeating: 9, count: 65_507), [2, 2], [3, 3]]
        for datagram in sent { client.send(datagram) }
        other.send([7])
        bridge.loop.runOnce()
        bridge.loop.runOnce()
        let seen = app.receive(echo: true)
        #expect(seen.count == 6)
        #expect(bridge.relay?.flowCount == 2)
        bridge.loop.runOnce()
        bridge.loop.runOnce()
        bridge.loop.runOnce()
        #expect(client.receive() == sent)
        #expect(other.receive() == [[7]])
        let counters = bridge.account.counters
        #expect(counters.flows == 2)
        #expect(counters.datagramsToApp == 6)
        #expect(counters.datagramsToClients == 6)
        #expect(counters.bytesToApp == 65_513)
        #expect(counters.bytesToClients == 65_513)
        #expect(counters.dropped.total == 0)
    }

    /// Every reading is of as many as came before, so a crowd and a stream arrive whole.
    @Test func manyStayInOrder() throws {
        let app = try End()
        let bridge = try Bridge(to: [app.address])
        let client = try End(to: bridge.address)
        var answers: [[UInt8]] = []
        for number in 0..<100 {
            for part in 0..<10 { client.send([UInt8(number), UInt8(part)]) }
            for _ in 0..<8 { bridge.loop.runOnce() }
            _ = app.receive(echo: true)
            for _ in 0..<8 { bridge.loop.runOnce() }
            answers += client.receive()
        }
        var expected: [[UInt8]] = []
        for number in 0..<100 {
            for part in 0..<10 { expected.append([UInt8(number), UInt8(part)]) }
        }
        #expect(answers == expected)
        #expect(bridge.account.counters.flows == 1)
    }

    @Test func aRefusalEndsTheFlowAndTheNextDatagramBeginsAnother() throws {
        let address = try nowhere()
        let bridge = try Bridge(to: [address])
        let client = try End(to: bridge.address)
        client.send([1])
        bridge.loop.runOnce()
        bridge.loop.runOnce()
        #expect(bridge.ends == [.refused])
        #expect(bridge.relay?.flowCount == 0)
        // The client hears nothing of it, and the app, once it is there, hears what comes then.
        #expect(client.receive() == [])
        let app = try End(listening: .loopbackV4, port: address.port!)
        client.send([2])
        bridge.loop.runOnce()
        #expect(app.receive(echo: true) == [[2]])
        bridge.loop.runOnce()
        #expect(client.receive() == [[2]])
        #expect(bridge.account.counters.refusedFlows == 1)
    }

    /// The news of a refusal takes the place of a datagram on its way, which is sent again then.
    @Test func aDatagramBehindARefusalIsNotLost() throws {
        let address = try nowhere()
        let bridge = try Bridge(to: [address])
        let client = try End(to: bridge.address)
        client.send([1])
        bridge.loop.runOnce()
        #expect(bridge.relay?.flowCount == 1)
        let app = try End(listening: .loopbackV4, port: address.port!)
        client.send([2])
        client.send([3])
        // Whichever of both sockets the loop looks at first.
        bridge.loop.runOnce()
        bridge.loop.runOnce()
        #expect(app.receive() == [[2], [3]])
        #expect(bridge.ends == [.refused])
        #expect(bridge.account.counters.flows == 2)
    }

    @Test func theOtherAddressIsTriedWithTheSameDatagrams() throws {
        let refusing = try nowhere()
        let app = try End(listening: .loopbackV6)
        let bridge = try Bridge(to: [refusing, app.address])
        let client = try End(to: bridge.address)
        client.send([1])
        client.send([2])
        bridge.loop.runOnce()
        #expect(app.receive(echo: true) == [[1], [2]])
        bridge.loop.runOnce()
        bridge.loop.runOnce()
        #expect(client.receive() == [[1], [2]])
        #expect(bridge.ends == [.refused])
        #expect(bridge.preferred == 1)
        #expect(bridge.account.counters.dropped.total == 0)
    }

    @Test func nobodyAnywhereIsADrop() throws {
        let bridge = try Bridge(to: [nowhere(), nowhere()])
        let client = try End(to: bridge.address)
        client.send([1])
        client.send([2])
        bridge.loop.runOnce()
        #expect(bridge.ends == [.refused, .refused])
        #expect(bridge.account.counters.dropped.refused == 2)
        #expect(bridge.relay?.flowCount == 0)
    }

    @Test func whatTheOwnerRefusesIsCounted() throws {
        let bridge = try Bridge(to: [nowhere()])
        let client = try End(to: bridge.address)
        for (refusal, field) in [
            (DatagramRelay.Refusal.noPlace, \DatagramCounters.Dropped.noPlace), (.draining, \.draining),
            (.noSocket, \.noSocket), (.nobodyListens, \.refused),
        ] {
            bridge.refusal = refusal
            client.send([1])
            client.send([])
            bridge.loop.runOnce()
            #expect(bridge.account.counters.dropped[keyPath: field] == 2)
        }
        #expect(bridge.account.counters.dropped.total == 8)
    }

    @Test func whatTheKernelHasDroppedIsCounted() throws {
        let app = try End()
        let bridge = try Bridge(to: [app.address])
        let client = try End(to: bridge.address)
        let long = [UInt8](repeating: 1, count: 60_000)
        // More than any buffer takes that the kernel grants.
        for _ in 0..<1000 { client.send(long) }
        bridge.relay?.countOverflow()
        let dropped = bridge.account.counters.dropped.overflowed
        #expect(dropped > 0 && dropped < 1000)
        bridge.relay?.countOverflow()
        #expect(bridge.account.counters.dropped.overflowed == dropped)
    }

    @Test func retiredFlowsCarryAnswersOnly() throws {
        let app = try End()
        let successor = try End()
        let bridge = try Bridge(to: [app.address])
        let client = try End(to: bridge.address)
        client.send([1])
        bridge.loop.runOnce()
        bridge.candidates = [successor.address]
        bridge.relay?.retireFlows()
        client.send([2])
        bridge.loop.runOnce()
        #expect(bridge.relay?.flowCount == 2)
        #expect(app.receive(echo: true) == [[1]])
        #expect(successor.receive(echo: true) == [[2]])
        bridge.loop.runOnce()
        bridge.loop.runOnce()
        #expect(Set(client.receive()) == [[1], [2]])
        bridge.relay?.forEachFlow { flow, isRetired in
            if isRetired { bridge.relay?.end(flow) }
        }
        #expect(bridge.relay?.flowCount == 1)
    }

    // MARK: Who makes room

    @Test func theOneThatIsIdleForLongestMakesRoom() throws {
        let app = try End()
        let bridge = try Bridge(to: [app.address])
        let first = try End(to: bridge.address)
        let second = try End(to: bridge.address)
        let later = MonotonicTime.coarse.advanced(by: .seconds(10))
        #expect(bridge.queue.idle(for: .seconds(1), at: later) == nil)
        first.send([1])
        bridge.loop.runOnce()
        second.send([2])
        bridge.loop.runOnce()
        #expect(bridge.queue.idle(for: .seconds(1), at: .coarse) == nil)
        #expect(bridge.queue.idle(for: .seconds(1), at: later)?.path.clientAddress == first.address)

        // Used again, it is behind the other one.
        let before = MonotonicTime.coarse
        while MonotonicTime.coarse == before { usleep(1000) }
        first.send([3])
        bridge.loop.runOnce()
        #expect(bridge.queue.idle(for: .seconds(1), at: later)?.path.clientAddress == second.address)
        bridge.queue.idle(for: .seconds(1), at: later)?.displace()
        #expect(bridge.ends == [.displaced])
        #expect(bridge.account.counters.displacedFlows == 1)
        #expect(bridge.queue.idle(for: .seconds(1), at: later)?.path.clientAddress == first.address)
    }

    @Test func whoSpeaksAfterAnAnswerKeepsItsPlace() throws {
        let app = try End()
        let bridge = try Bridge(to: [app.address])
        let client = try End(to: bridge.address)
        // A second word proves nothing before there was an answer to hear.
        for _ in 0..<2 {
            client.send([1])
            bridge.loop.runOnce()
            #expect(bridge.queue.count == 1)
        }
        #expect(app.receive(echo: true).count == 2)
        bridge.loop.runOnce()
        #expect(bridge.queue.count == 1)
        client.send([1])
        bridge.loop.runOnce()
        #expect(bridge.queue.count == 0)
    }
}
