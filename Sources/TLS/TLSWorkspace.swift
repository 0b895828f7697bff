internal import COpenSSL

/// What all TLS connections of one worker share: the memory through which what is encrypted comes and goes, so that one system
/// call brings or takes many records.
///
/// Belongs to its worker's thread.
public final class TLSWorkspace {
    /// How much one receive takes at the most.
    static let inputSize = 256 << 10
    /// How much is encrypted before it is sent.
    static let outputPiece = 128 << 10
    /// The largest piece of plain text in a record (RFC 8446 section 5.1).
    static let recordSize = 16 << 10

    /// Between two calls nothing in it is of use to anybody.
    let input: UnsafeMutableRawBufferPointer
    /// Likewise; grows where more must go out than is usual.
    private(set) var output: UnsafeMutableRawBufferPointer
    /// How much of the output is to be sent.
    var outputCount = 0
    /// Where two small pieces become one record.
    let joined: UnsafeMutableRawBufferPointer

    public init() {
        input = .allocate(byteCount: Self.inputSize, alignment: 4096)
        output = .allocate(byteCount: Self.outputPiece + (16 << 10), alignment: 4096)
        joined = .allocate(byteCount: Self.recordSize, alignment: 4096)
    }

    deinit {
        input.deallocate()
        output.deallocate()
        joined.deallocate()
    }

    /// Takes note of bytes that are to be sent.
    func append(_ bytes: UnsafeRawBufferPointer) {
        if outputCount + bytes.count > output.count {
            let larger = UnsafeMutableRawBufferPointer.allocate(
                byteCount: max(2 * output.count, outputCount + bytes.count), alignment: 4096)
            larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: output[..<outputCount]))
            output.deallocate()
            output = larger
        }
        UnsafeMutableRawBufferPointer(rebasing: output[outputCount...]).copyMemory(from: bytes)
        outputCount += bytes.count
    }
}
