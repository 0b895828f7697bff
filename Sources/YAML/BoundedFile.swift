internal import Glibc

/// Reads a whole file whose size is bounded.
public enum BoundedFile {
    /// The file's bytes.
    /// - Parameter limit: the most bytes it may have.
    /// - Throws: ``BoundedFileError``.
    public static func read(_ path: String, limit: Int = YAMLLimits.bytes) throws(BoundedFileError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw BoundedFileError(errno: errno) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw BoundedFileError(errno: errno)
            }
            // The size that fstat(2) tells may be 0, as for a pipe, or change; what was read is what counts.
            guard bytes.count + count <= limit else { throw .tooLarge(limit: limit) }
            bytes.append(contentsOf: chunk.prefix(count))
        }
    }
}
