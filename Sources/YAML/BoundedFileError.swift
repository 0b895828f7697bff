internal import Glibc

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
    /// The file is written to all the time.
    case changing
    /// Nothing comes out of it: a pipe to which nobody writes, or a terminal.
    case stalled
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
        case .changing: "changes while it is read"
        case .stalled: "gives nothing to read"
        case .unreadable(let reason): reason
        }
    }
}
