internal import CLinux

/// The memory that all TLS connections of one worker share: records come and go through it, so that one system
/// call brings or takes many records.
///
/// Belongs to its worker's thread.
public final class TLSWorkspace {
    /// The most that one receive takes, in bytes.
    static let inputSize = 256 << 10
    /// The most that is encrypted before it is sent, in bytes.
    static let outputPiece = 128 << 10
    /// The largest piece of plain text in a record (RFC 8446 section 5.1).
    static let recordSize = 16 << 10

    /// Between two calls nothing in it is of use to anybody.
    let input: UnsafeMutableRawBufferPointer
    /// The records that are to be sent, of use only within a call; grows where more must go out than is usual.
    private(set) var output: UnsafeMutableRawBufferPointer
    /// The number of bytes of the output that are to be sent.
    var outputCount = 0
    /// The room in which two small pieces become one record.
    let joined: UnsafeMutableRawBufferPointer

    public init() {
        input = .allocate(byteCount: Self.inputSize, alignment: 4096)
        output = .allocate(byteCount: Self.outputPiece + (16 << 10), alignment: 16)
        joined = .allocate(byteCount: Self.recordSize, alignment: 4096)
    }

    deinit {
        input.deallocate()
        output.deallocate()
        joined.deallocate()
    }

    /// Takes note of bytes that are to be sent.
    /// - Returns: false where there is no memory for them.
    func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard outputCount + bytes.count <= output.count || grow(to: outputCount + bytes.count) else { return false }
        UnsafeMutableRawBufferPointer(rebasing: output[outputCount...]).copyMemory(from: bytes)
        outputCount += bytes.count
        return true
    }

    private func grow(to least: Int) -> Bool {
        let count = max(2 * output.count, least)
        guard let block = clinux_allocate_block(count) else {
            // OpenSSL is told of a failure, and nobody of its cause otherwise.
            clinux_note_failed_allocation()
            return false
        }
        let larger = UnsafeMutableRawBufferPointer(start: block, count: count)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: output[..<outputCount]))
        output.deallocate()
        output = larger
        return true
    }
}
