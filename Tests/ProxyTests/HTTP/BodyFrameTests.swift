import HTTP1
import Testing

@testable import Proxy

@Suite struct BodyFrameTests {
    @Test func aCountedBodyIsReadNoFurtherThanItGoes() {
        var body = BodyFrame(.length(10))
        #expect(body.readLimit == 10)
        #expect(body.plainBytesAhead == 10)
        body.advance(by: 4)
        #expect(body.readLimit == 6)
        #expect(!body.hasEnded)
        body.advance(by: 6)
        #expect(body.hasEnded)
        #expect(body.payloadBytes == 10)
    }

    @Test func noBodyHasEndedAtOnce() {
        #expect(BodyFrame(.none).hasEnded)
    }

    @Test func onlyTheEndOfTheConnectionEndsABodyWithoutFraming() {
        var body = BodyFrame(.untilClose)
        #expect(body.endsWithConnection)
        #expect(body.readLimit == .max)
        body.advance(by: 1 << 40)
        #expect(!body.hasEnded)
    }

    @Test func whatComesWithTheHeadIsPassedOnInOnePieceIfItIsOne() throws {
        let bytes = Array("HEAD5\r\nhello\r\n0\r\n\r\nnext".utf8)
        var body = BodyFrame(.chunked)
        var output: [UInt8] = []
        let (pass, next) = try #require(body.scanBeginning(bytes.span, from: 4, into: &output))
        #expect(output.isEmpty)
        #expect(Array(bytes[pass]) == Array("5\r\nhello\r\n0\r\n\r\n".utf8))
        #expect(Array(bytes[next...]) == Array("next".utf8))
        #expect(body.hasEnded)
    }

    @Test func extensionsAndTrailersArePutTogether() throws {
        let bytes = Array("2;a=b\r\nhi\r\n0\r\nX-End: 1\r\n\r\nnext".utf8)
        var body = BodyFrame(.chunked)
        var output: [UInt8] = []
        let (pass, next) = try #require(body.scanBeginning(bytes.span, from: 0, into: &output))
        #expect(output + bytes[pass] == Array("2\r\nhi\r\n0\r\nX-End: 1\r\n\r\n".utf8))
        #expect(Array(bytes[next...]) == Array("next".utf8))
        #expect(body.takeTrailers().isEmpty, "they are in the output already")
    }

    @Test func whatComesWithTheHeadBecomesAChunk() throws {
        let bytes = Array("HEADhello".utf8)
        var body = BodyFrame(.untilClose, output: .inChunks)
        var output: [UInt8] = []
        let (pass, next) = try #require(body.scanBeginning(bytes.span, from: 4, into: &output))
        #expect(output + bytes[pass] == Array("5\r\nhello\r\n".utf8))
        #expect(next == bytes.count && !body.hasEnded)
        #expect(body.takeTrailers().isEmpty, "it goes on")
        body.endWithConnection()
        #expect(body.hasEnded && body.payloadBytes == 5)
        #expect(body.takeTrailers() == Array("0\r\n\r\n".utf8))
        #expect(body.takeTrailers().isEmpty, "once")
    }

    @Test func nothingBehindTheHeadIsNoChunkFor0IsTheEnd() throws {
        let bytes = Array("HEAD".utf8)
        var body = BodyFrame(.untilClose, output: .inChunks)
        var output: [UInt8] = []
        let (pass, _) = try #require(body.scanBeginning(bytes.span, from: 4, into: &output))
        #expect(output.isEmpty && pass.isEmpty)
    }

    @Test func whatIsNoBodyIsTold() {
        let bytes = Array("zz\r\n".utf8)
        var body = BodyFrame(.chunked)
        var output: [UInt8] = []
        #expect(body.scanBeginning(bytes.span, from: 0, into: &output) == nil)
    }
}
