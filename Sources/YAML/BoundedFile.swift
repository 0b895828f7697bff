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

/// Why a file could not be read.
public enum BoundedFileError: Error, Hashable, Sendable {
    /// There is no file of this name.
    case notFound
    /// The file is there, but not for this user.
    case permissionDenied
    /// The name is a directory's.
    case isDirectory
    /// The file has more bytes than the limit.
    case tooLarge(limit: Int)
    /// Anything else, in the system's words.
    case unreadable(String)

    init(errno code: CInt) {
        self =
            switch code {
            case ENOENT, ENOTDIR: .notFound
            case EACCES, EPERM: .permissionDenied
            case EISDIR: .isDirectory
            default: .unreadable(String(cString: strerror(code)))
            }
    }
}

extension BoundedFileError: CustomStringConvertible {
    /// A sentence to stand behind the file's name.
    public var description: String {
        switch self {
        case .notFound: "no such file"
        case .permissionDenied: "permission denied"
        case .isDirectory: "is a directory, not a file"
        case .tooLarge(let limit): "is larger than \(limit) bytes"
        case .unreadable(let reason): reason
        }
    }
}
