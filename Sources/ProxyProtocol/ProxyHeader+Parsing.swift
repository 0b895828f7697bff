extension ProxyHeader {
    /// How far reading a header has come.
    public enum Progress: Sendable, Equatable {
        /// So far all is well, and more is to come.
        case incomplete
        case invalid(Fault)
        /// - length: how many of the bytes are the header; what follows belongs to the stream.
        case complete(ProxyHeader, length: Int)
    }

    /// The most bytes that a header may have, which is what fits into HAProxy's buffer. The receiver holds that much.
    public static let longest = 16 << 10

    /// Reads the header at the beginning of a connection, of either version. The first byte that cannot belong to a header
    /// is told at once.
    /// - Parameter bytes: everything that has arrived so far.
    public static func parse(_ bytes: Span<UInt8>) -> Progress {
        guard !bytes.isEmpty else { return .incomplete }
        do throws(Fault) {
            return bytes[0] == Binary.signature[0] ? try parseBinary(bytes) : try parseText(bytes)
        } catch {
            return .invalid(error)
        }
    }

    /// Whether the bytes begin with a text, as far as they go.
    /// - Throws: ``Fault/noHeader`` where they do not.
    static func expect(_ text: [UInt8], in bytes: Span<UInt8>) throws(Fault) {
        for index in 0..<min(text.count, bytes.count) where bytes[index] != text[index] { throw .noHeader }
    }
}
