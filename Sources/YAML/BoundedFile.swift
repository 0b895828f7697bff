internal import Glibc

/// Reads a whole file whose size is bounded.
public enum BoundedFile {
    /// The file's bytes. A file that is written to meanwhile is read again, as far as that can be told by its size and
    /// the time of its last change; who replaces it by renaming another one is always safe.
    ///
    /// Blocks for no longer than the patience wherever nothing comes, as out of a pipe that nobody writes to.
    /// - Parameters:
    ///   - limit: the most bytes it may have.
    ///   - patience: how long to wait for more.
    /// - Throws: ``BoundedFileError``.
    public static func read(
        _ path: String, limit: Int = YAMLLimits.bytes, patience: Duration = .seconds(5)
    ) throws(BoundedFileError) -> [UInt8] {
        try read(path, limit: limit, patience: patience, meanwhile: {})
    }

    /// - Parameter meanwhile: what happens while the file is being read, for tests.
    package static func read(
        _ path: String, limit: Int = YAMLLimits.bytes, patience: Duration = .seconds(5), meanwhile: () -> Void
    ) throws(BoundedFileError) -> [UInt8] {
        let attempts = 10
        for attempt in 1...attempts {
            if let bytes = try readOnce(path, limit: limit, patience: patience, meanwhile: meanwhile) { return bytes }
            // A file this small is soon written.
            if attempt < attempts { usleep(10_000) }
        }
        throw .changing
    }

    /// The file's bytes; nil where it was written to meanwhile.
    private static func readOnce(
        _ path: String, limit: Int, patience: Duration, meanwhile: () -> Void
    ) throws(BoundedFileError) -> [UInt8]? {
        // Opening a pipe must not wait for somebody to write, nor a terminal become ours.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { throw BoundedFileError(errno: errno) }
        defer { close(descriptor) }
        let before = FileState(descriptor)
        let bytes = try contents(of: descriptor, limit: limit, patience: patience)
        meanwhile()
        guard before.isRegular else { return bytes }
        return before == FileState(descriptor) ? bytes : nil
    }

    private static func contents(
        of descriptor: CInt, limit: Int, patience: Duration
    ) throws(BoundedFileError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                guard errno == EAGAIN else { throw BoundedFileError(errno: errno) }
                var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                guard poll(&wanted, 1, CInt(patience / .milliseconds(1))) != 0 else { throw .stalled }
                continue
            }
            // The size that fstat(2) tells is 0 for some files that are not empty; what was read is what counts.
            guard bytes.count + count <= limit else { throw .tooLarge(limit: limit) }
            bytes.append(contentsOf: chunk.prefix(count))
        }
    }
}

/// The state of a file, which differs once the file was written to.
private struct FileState: Equatable {
    /// Pipes and devices change by being read.
    let isRegular: Bool
    private let size: Int
    private let seconds: Int
    private let nanoseconds: Int

    init(_ descriptor: CInt) {
        var status = stat()
        isRegular = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        size = Int(status.st_size)
        seconds = status.st_mtim.tv_sec
        nanoseconds = status.st_mtim.tv_nsec
    }
}
