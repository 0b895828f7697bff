import HTTP1
import Testing

@Suite struct ChunkTests {
    @Test(arguments: [
        (1, "1"), (15, "f"), (16, "10"), (255, "ff"), (256, "100"), (4096, "1000"), (65536, "10000"),
        (0xABCD_EF01, "abcdef01"), (Int.max, "7fffffffffffffff"),
    ])
    func sizesAreHexadecimal(count: Int, expected: String) {
        var output = Array("head".utf8)
        Chunk.begin(count, into: &output)
        #expect(String(decoding: output, as: UTF8.self) == "head\(expected)\r\n")
    }

    @Test func whatIsWrittenIsABody() {
        var output: [UInt8] = []
        for count in [1, 17, 300] {
            Chunk.begin(count, into: &output)
            output += [UInt8](repeating: 0x78, count: count)
            output += Chunk.end
        }
        output += Chunk.last
        var scanner = BodyScanner(.chunked)
        let step = scanner.scan(output.span, from: 0)
        #expect(step == BodyStep(pass: 0..<output.count, next: output.count, outcome: .ended))
        #expect(scanner.payloadBytes == 318)
    }
}
