import COpenSSL
import Glibc
import Network
import Relay
import TLS
import TestSupport
import Testing

/// Bytes and ends, through the channel and a relay.
@Suite struct StreamTests {
    let authority = TestAuthority()

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION], [0, 1 << 20])
    func everyByteArrivesInRecordsOfOddSizes(version: CInt, parkingLimit: Int) throws {
        let bench = try Bench(
            authority.context(), .init(version: version, authority: authority.path), parkingLimit: parkingLimit)
        #expect(try bench.connect())
        #expect(bench.details?.version == (version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3"))
        var toApp: [UInt8] = []
        var toClient: [UInt8] = []
        for size in [1, 2, 255, 16_383, 16_384, 16_385, 70_001, 3, 300_007, 1] {
            let question = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ size) }
            let answer = question.map { ~$0 }
            var rest = question[...]
            var back = answer[...]
            #expect(
                try bench.run(until: {
                    rest = rest.dropFirst(bench.client.send(rest))
                    back = back.dropFirst(bench.app.send(back))
                    return rest.isEmpty && back.isEmpty
                }))
            toApp += question
            toClient += answer
        }
        #expect(
            try bench.run(until: {
                bench.app.received.count >= toApp.count && bench.client.received.count >= toClient.count
            }))
        #expect(bench.app.received == toApp)
        #expect(bench.client.received == toClient)
        #expect(bench.workspace.parkedBytes == 0)
    }

    @Test(arguments: [0, 256 << 10]) func aSlowReaderGetsEverythingAndItsEnd(parkingLimit: Int) throws {
        let bench = try Bench(authority.context(), parkingLimit: parkingLimit)
        #expect(try bench.connect())
        let bytes = (0..<12 << 20).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 13) }
        var rest = bytes[...]
        var idleTurns = 0
        // The client reads nothing: at some time nothing moves any more.
        #expect(
            try bench.run(
                reading: false,
                until: {
                    let sent = bench.app.send(rest.prefix(1 << 20))
                    rest = rest.dropFirst(sent)
                    idleTurns = sent == 0 ? idleTurns + 1 : 0
                    return idleTurns > 100
                }))
        #expect(!rest.isEmpty)
        // What one read brings may be more than the limit by what its last piece takes to be encrypted.
        #expect(bench.workspace.parkedBytes <= parkingLimit + 8 << 10)
        var hasFinished = false
        #expect(
            try bench.run(until: {
                rest = rest.dropFirst(bench.app.send(rest))
                if rest.isEmpty, !hasFinished {
                    bench.app.finishSending()
                    hasFinished = true
                }
                return bench.client.end != nil
            }))
        #expect(bench.client.end == 0)
        #expect(bench.client.received == bytes)
        #expect(bench.workspace.parkedBytes == 0)
    }

    @Test func endsAreCloseNotifyAndHalfClosesGoOn() throws {
        let bench = try Bench(authority.context())
        #expect(try bench.connect())
        #expect(bench.client.send("question".utf8) == 8)
        bench.client.finishSending()
        #expect(try bench.run(until: { bench.app.end == 0 }))
        #expect(bench.app.received == Array("question".utf8))
        #expect(bench.end == nil)
        #expect(bench.app.send("answer".utf8) == 6)
        #expect(try bench.run(until: { bench.client.received == Array("answer".utf8) }))
        #expect(bench.client.end == nil)
        bench.app.finishSending()
        #expect(try bench.run(until: { bench.client.end == 0 && bench.end == .finished }))
    }

    @Test func theAppsEndComesFirstAndTheClientGoesOn() throws {
        let bench = try Bench(authority.context())
        #expect(try bench.connect())
        bench.app.finishSending()
        #expect(try bench.run(until: { bench.client.end == 0 }))
        #expect(bench.client.send("more".utf8) == 4)
        #expect(try bench.run(until: { bench.app.received == Array("more".utf8) }))
        bench.client.finishSending()
        #expect(try bench.run(until: { bench.end == .finished }))
    }

    @Test func aStreamThatIsCutOffIsAReset() throws {
        let bench = try Bench(authority.context())
        #expect(try bench.connect())
        #expect(bench.client.send("half of it".utf8) == 10)
        bench.client.cutOff()
        #expect(try bench.run(until: { bench.app.end != nil }))
        #expect(bench.app.received == Array("half of it".utf8))
        #expect(bench.app.end == ECONNRESET)
        // What the app might have said is not known to be whole.
        #expect(try bench.run(until: { bench.client.end != nil }))
        #expect(bench.client.end != 0)
    }

    @Test func theAppsResetIsOneToTheClientAndNoProperEnd() throws {
        let bench = try Bench(authority.context())
        #expect(try bench.connect())
        #expect(bench.app.send("half of it".utf8) == 10)
        #expect(try bench.run(until: { bench.client.received.count == 10 }))
        bench.app.reset()
        #expect(try bench.run(until: { bench.client.end != nil }))
        #expect(bench.client.end == ECONNRESET)
    }

    @Test func damagedRecordsEndTheConnection() throws {
        let bench = try Bench(authority.context())
        #expect(try bench.connect())
        let record: [UInt8] = [23, 3, 3, 0, 32] + (0..<32).map { UInt8($0) }
        #expect(record.withUnsafeBytes { send(bench.client.number, $0.baseAddress, $0.count, 0) } == record.count)
        #expect(try bench.run(until: { bench.end != nil }))
        #expect(bench.app.received.isEmpty)
        #expect(try bench.run(until: { bench.app.end == ECONNRESET }))
    }

    @Test func keysAreUpdatedOnTheWay() throws {
        let bench = try Bench(authority.context())
        #expect(try bench.connect())
        var sent = 0
        for round in 0..<20 {
            #expect(SSL_key_update(bench.client.connection, SSL_KEY_UPDATE_REQUESTED) == 1)
            let question = [UInt8](repeating: UInt8(round), count: 1 + round * 1000)
            #expect(bench.client.send(question) == question.count)
            sent += question.count
            #expect(bench.app.send(question) == question.count)
            #expect(
                try bench.run(until: { bench.app.received.count == sent && bench.client.received.count == sent }))
        }
    }

    /// Each wish for keys is answered, and the answers wait for a client that reads nothing.
    @Test func whoAsksForKeysAndReadsNothingDoesNotFillTheMemory() throws {
        let bench = try Bench(authority.context())
        #expect(try bench.connect())
        var rounds = 0
        #expect(
            try bench.run(
                reading: false,
                until: {
                    for _ in 0..<200 where SSL_key_update(bench.client.connection, SSL_KEY_UPDATE_REQUESTED) == 1 {
                        guard SSL_do_handshake(bench.client.connection) == 1 else { break }
                    }
                    ERR_clear_error()
                    rounds += 1
                    return rounds >= 30 || bench.end != nil
                }))
        #expect(bench.channel.unsentBytes < 1 << 20)
        #expect(bench.workspace.parkedBytes < 1 << 20)
    }

    /// A worker has others to serve, whom it does not hear while it goes through such messages.
    @Test(arguments: [0, 1 << 20]) func whoSpeaksOfNothingButKeysIsNotServed(parkingLimit: Int) throws {
        let bench = try Bench(authority.context(), parkingLimit: parkingLimit)
        #expect(try bench.connect())
        var sent = 0
        #expect(
            try bench.run(until: {
                for _ in 0..<500 where SSL_key_update(bench.client.connection, SSL_KEY_UPDATE_NOT_REQUESTED) == 1 {
                    guard SSL_do_handshake(bench.client.connection) == 1 else { break }
                    sent += 1
                }
                ERR_clear_error()
                return bench.end != nil || sent > 100_000
            }))
        #expect(bench.end == .downstreamFailed(.violation))
    }

    @Test func aWishForKeysBehindOurEndIsNoFailure() throws {
        let bench = try Bench(authority.context())
        #expect(try bench.connect())
        bench.app.finishSending()
        #expect(try bench.run(until: { bench.client.end == 0 }))
        var sent = 0
        for size in [1, 20_000, 5] {
            #expect(SSL_key_update(bench.client.connection, SSL_KEY_UPDATE_REQUESTED) == 1)
            #expect(bench.client.send([UInt8](repeating: 7, count: size)) == size)
            sent += size
            #expect(try bench.run(until: { bench.app.received.count == sent || bench.end != nil }))
        }
        #expect(bench.app.received.count == sent)
        bench.client.finishSending()
        #expect(try bench.run(until: { bench.end == .finished }))
    }
}
