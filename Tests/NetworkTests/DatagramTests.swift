import EventLoop
import Glibc
import TestSupport
import Testing

@testable import Network

@Suite struct DatagramTests {
    /// A listening socket and where it is.
    private func listener(_ address: IPAddress) throws -> (Handoff<DatagramSocket>, SocketAddress) {
        let socket = try DatagramSocket(listeningOn: .ip(address, port: 0))
        let local = socket.localAddress!
        return (Handoff(socket), local)
    }

    private func bytes(_ received: DatagramBatch.Received) -> [UInt8] { Array(received.bytes) }

    private func all(_ batch: DatagramBatch) -> [[UInt8]] { (0..<batch.count).map { bytes(batch[$0]) } }

    private func sizes(_ batch: DatagramBatch) -> [Int] { (0..<batch.count).map { batch[$0].bytes.count } }

    @discardableResult
    private func send(_ datagram: [UInt8], on socket: borrowing DatagramSocket) -> Int {
        datagram.withUnsafeBytes { Glibc.send(socket.number, $0.baseAddress, $0.count, 0) }
    }

    @Test(arguments: [IPAddress.loopbackV4, .loopbackV6])
    func datagramsStayWhatTheyAre(address: IPAddress) throws {
        let (handoff, local) = try listener(address)
        let socket = handoff.take()!
        let client = try DatagramSocket(connectedTo: local)
        let sent: [[UInt8]] = [[1, 2, 3], [], [UInt8](repeating: 7, count: DatagramSocket.longestV4), [4]]
        for datagram in sent { #expect(send(datagram, on: client) == datagram.count) }
        let batch = DatagramBatch()
        #expect(batch.receive(from: socket, limit: 3) == .received(3))
        #expect(batch.receive(from: socket, limit: 3) == .received(1))
        #expect(all(batch) == sent)
        for index in 0..<4 {
            #expect(!batch.isCutOff(index))
            #expect(batch[index].count == 1)
        }
        #expect(batch.path(of: 0).clientAddress == client.localAddress)
        #expect(batch.path(of: 0) == batch.path(of: 3))
        #expect(batch.receive(from: socket, limit: 3) == .nothing)

        // And back the same way.
        let outgoing = OutgoingDatagrams()
        for index in 0..<4 { outgoing.append(batch[index], to: batch.path(of: index)) }
        let outcome = outgoing.send(on: socket)
        #expect(outcome.datagrams == 4)
        #expect(outcome.lost == 0)
        #expect(outcome.bytes == 3 + DatagramSocket.longestV4 + 1)
        let answers = DatagramBatch()
        #expect(answers.receive(from: client, limit: 64) == .received(4))
        #expect(all(answers) == sent)
    }

    @Test(arguments: ["127.0.0.1", "127.9.8.7", "::1"])
    func aWildcardAnswersFromTheAddressThatWasWrittenTo(text: String) throws {
        let address = IPAddress(text)!
        let (handoff, local) = try listener(address.family == .v4 ? .anyV4 : .anyV6)
        let socket = handoff.take()!
        let target = SocketAddress.ip(address, port: local.port!)
        let client = try DatagramSocket(connectedTo: target)
        send([1], on: client)
        let batch = DatagramBatch()
        #expect(batch.receive(from: socket, limit: 8) == .received(1))
        let outgoing = OutgoingDatagrams()
        outgoing.append(batch[0], to: batch.path(of: 0))
        #expect(outgoing.send(on: socket).datagrams == 1)
        // A connected socket hears nobody else.
        let answers = DatagramBatch()
        #expect(answers.receive(from: client, limit: 8) == .received(1))
    }

    @Test func whoWritesToAnotherAddressIsAnotherPath() throws {
        let (handoff, local) = try listener(.anyV4)
        let socket = handoff.take()!
        let client = try DatagramSocket(listeningOn: .ip(.loopbackV4, port: 0))
        for address in ["127.0.0.1", "127.0.0.2", "127.0.0.1"] {
            let target = SocketAddress.ip(IPAddress(address)!, port: local.port!)
            #expect(target.withKernelForm { sendto(client.number, [1], 1, 0, $0, $1) } == 1)
        }
        let batch = DatagramBatch()
        #expect(batch.receive(from: socket, limit: 8) == .received(3))
        #expect(batch.path(of: 0) == batch.path(of: 2))
        #expect(batch.path(of: 0) != batch.path(of: 1))
        for index in 0..<3 { #expect(batch.path(of: index).clientAddress == client.localAddress) }
    }

    /// What leaves as one large datagram arrives as what it was.
    @Test(arguments: [IPAddress.loopbackV4, .loopbackV6])
    func neighboursOfOneSizeAreTakenApartAgain(address: IPAddress) throws {
        let (handoff, local) = try listener(address)
        let socket = handoff.take()!
        let client = try DatagramSocket(connectedTo: local)
        let sizes = [100, 100, 100, 40, 100, 100, 0, 100, 7, 7, 8]
        let sent: [[UInt8]] = sizes.indices.map { [UInt8](repeating: UInt8($0), count: sizes[$0]) }
        for datagram in sent { send(datagram, on: client) }
        let batch = DatagramBatch()
        #expect(batch.receive(from: socket, limit: 64) == .received(sizes.count))
        let outgoing = OutgoingDatagrams()
        for index in sizes.indices { outgoing.append(batch[index], to: batch.path(of: index)) }
        #expect(outgoing.send(on: socket).datagrams == sizes.count)
        let answers = DatagramBatch()
        #expect(answers.receive(from: client, limit: 64) == .received(sizes.count))
        #expect(all(answers) == sent)

        // A socket that takes them as one passes them on as they were, too.
        client.prepareForBulk()
        for index in sizes.indices { outgoing.append(batch[index], to: batch.path(of: index)) }
        #expect(outgoing.send(on: socket).datagrams == sizes.count)
        let joined = DatagramBatch()
        guard case .received(let count) = joined.receive(from: client, limit: 64) else {
            Issue.record("nothing has arrived")
            return
        }
        var total = 0
        for index in 0..<count { total += joined[index].count }
        #expect(total == sizes.count)
        for index in 0..<count { outgoing.append(joined[index], to: nil) }
        #expect(outgoing.send(on: client).datagrams == sizes.count)
        batch.clear()
        var seen: [[UInt8]] = []
        while case .received(let more) = batch.receive(from: socket, limit: 64) {
            for index in 0..<more {
                let received = batch[index]
                let size = received.segment == 0 ? max(received.bytes.count, 1) : received.segment
                let all = bytes(received)
                if all.isEmpty { seen.append([]) }
                for start in stride(from: 0, to: all.count, by: size) {
                    seen.append(Array(all[start..<min(start + size, all.count)]))
                }
            }
            batch.clear()
        }
        #expect(seen == sent)
    }

    /// A path that takes no large ones gets each datagram by itself.
    @Test func whatCannotBeSegmentedIsSentOneByOne() throws {
        let (handoff, local) = try listener(.loopbackV4)
        let socket = handoff.take()!
        let client = try DatagramSocket(connectedTo: local)
        for size in [500, 500, 500, 20] { send([UInt8](repeating: 1, count: size), on: client) }
        let batch = DatagramBatch()
        #expect(batch.receive(from: socket, limit: 64) == .received(4))
        // No checksums, no segments: the kernel refuses with EIO or EINVAL.
        var yes: CInt = 1
        #expect(setsockopt(socket.number, SOL_SOCKET, SO_NO_CHECK, &yes, 4) == 0)
        let outgoing = OutgoingDatagrams()
        for _ in 0..<2 {
            for index in 0..<4 { outgoing.append(batch[index], to: batch.path(of: index)) }
            let outcome = outgoing.send(on: socket)
            #expect(outcome.datagrams == 4)
            #expect(outcome.lost == 0)
            #expect(outcome.bytes == 1520)
        }
        let answers = DatagramBatch()
        #expect(answers.receive(from: client, limit: 64) == .received(8))
        #expect(sizes(answers) == [500, 500, 500, 20, 500, 500, 500, 20])
    }

    @Test func whatTheSystemRefusesIsLostAndTheRestIsNot() throws {
        let (handoff, local) = try listener(.loopbackV6)
        let socket = handoff.take()!
        let client = try DatagramSocket(connectedTo: local)
        send([1], on: client)
        // Longer than any over IPv4, and IPv6 takes it.
        send([UInt8](repeating: 2, count: DatagramSocket.longestV4 + 20), on: client)
        send([3], on: client)
        let batch = DatagramBatch()
        #expect(batch.receive(from: socket, limit: 64) == .received(3))
        #expect(batch[1].bytes.count == DatagramSocket.longestV4 + 20)
        let (other, otherLocal) = try listener(.loopbackV4)
        let v4 = other.take()!
        let v4Client = try DatagramSocket(connectedTo: otherLocal)
        let outgoing = OutgoingDatagrams()
        for index in 0..<3 { outgoing.append(batch[index], to: nil) }
        let outcome = outgoing.send(on: v4Client)
        #expect(outcome.datagrams == 2)
        #expect(outcome.lost == 1)
        #expect(outcome.error == EMSGSIZE)
        let answers = DatagramBatch()
        #expect(answers.receive(from: v4, limit: 64) == .received(2))
    }

    @Test func aRefusalIsHeard() throws {
        let address: SocketAddress
        do {
            let (handoff, local) = try listener(.loopbackV4)
            address = local
            _ = handoff.take()
        }
        let client = try DatagramSocket(connectedTo: address)
        #expect(send([1], on: client) == 1)
        #expect(client.takeError() == ECONNREFUSED)
        #expect(client.takeError() == 0)
        #expect(send([1], on: client) == 1)
        let batch = DatagramBatch()
        #expect(batch.receive(from: client, limit: 8) == .failed(ECONNREFUSED))
        #expect(batch.receive(from: client, limit: 8) == .nothing)

        // It takes the place of the next datagram, which has not been sent then.
        send([1], on: client)
        let (handoff, local) = try listener(.loopbackV4)
        let source = handoff.take()!
        let other = try DatagramSocket(connectedTo: local)
        for byte in 1...3 { send([UInt8(byte)], on: other) }
        #expect(batch.receive(from: source, limit: 8) == .received(3))
        let outgoing = OutgoingDatagrams()
        for index in 0..<3 { outgoing.append(batch[index], to: nil) }
        let outcome = outgoing.send(on: client, isRefusalAnEnd: true)
        #expect(outcome.error == ECONNREFUSED)
        #expect(outcome.datagrams == 0)
        #expect(outcome.untried == 3)
        #expect(outgoing.isEmpty)
    }

    @Test func aSecondListenerFailsUnlessItSharesOnPurpose() throws {
        let (handoff, address) = try listener(.loopbackV4)
        let first = handoff.take()!
        #expect(throws: SystemError("bind", code: EADDRINUSE)) { _ = try DatagramSocket(listeningOn: address).number }
        let further = try DatagramSocket(listeningOn: address, sharing: .further)
        // Both get their share, and each client's datagrams arrive at one place.
        for _ in 0..<200 {
            let client = try DatagramSocket(connectedTo: address)
            send([1], on: client)
            send([2], on: client)
        }
        var counts: [Int] = []
        for socket in [first.number, further.number] {
            var count = 0
            var buffer = [UInt8](repeating: 0, count: 10)
            while recv(socket, &buffer, 10, CInt(MSG_DONTWAIT)) > 0 { count += 1 }
            counts.append(count)
        }
        #expect(counts[0] + counts[1] == 400)
        for count in counts {
            #expect(count > 40)
            #expect(count % 2 == 0)
        }
    }

    @Test func aSourceAddressIsChosen() throws {
        let (handoff, address) = try listener(.loopbackV4)
        let socket = handoff.take()!
        let source = IPAddress("127.5.6.7")!
        let client = try DatagramSocket(connectedTo: address, from: source)
        send([1], on: client)
        let batch = DatagramBatch()
        #expect(batch.receive(from: socket, limit: 8) == .received(1))
        #expect(batch.path(of: 0).clientAddress?.ipAddress == source)
        #expect(throws: SystemError("bind", code: EADDRNOTAVAIL)) {
            _ = try DatagramSocket(connectedTo: address, from: IPAddress("192.0.2.1")!).number
        }
    }
}
