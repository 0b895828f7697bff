internal import Glibc

/// Whole files, for the few small ones that are read at a start or an end and never while bytes flow.
extension Descriptor {
    /// Opens a file for reading.
    /// - Throws: ``SystemError``, as open(2) says.
    public init(reading path: String) throws(SystemError) {
        let number = open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { throw SystemError("open") }
        self.init(owning: number)
    }

    /// Reads to the end of the file; stops once there are more than `limit` bytes. Blocks.
    /// - Throws: ``SystemError``, as read(2) says.
    public func readToEnd(limit: Int = .max) throws(SystemError) -> [UInt8] {
        var contents: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while contents.count <= limit {
            let count = Glibc.read(number, &chunk, chunk.count)
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw SystemError("read")
            }
            contents += chunk[..<count]
        }
        return contents
    }

    /// Reads what comes next (read(2)). Blocks.
    /// - Returns: how many bytes that was; 0 at the file's end, or where there is no room.
    /// - Throws: ``SystemError``, as read(2) says.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
        while true {
            let count = Glibc.read(number, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            guard errno == EINTR else { throw SystemError("read") }
        }
    }

    /// Writes all of the bytes. Blocks for as long as the reader takes its time.
    /// - Throws: ``SystemError``, as write(2) says: EPIPE where nobody reads any more.
    public func write(_ bytes: [UInt8]) throws(SystemError) {
        var written = 0
        try write(bytes, written: &written)
    }

    /// Does the same.
    /// - Parameter written: how many of the bytes were written, when it throws too.
    public func write(_ bytes: [UInt8], written: inout Int) throws(SystemError) {
        try Self.write(bytes, to: number, written: &written)
    }

    /// Does the same to a descriptor that somebody else owns, such as standard error.
    public static func write(_ bytes: [UInt8], to number: CInt) throws(SystemError) {
        var written = 0
        try write(bytes, to: number, written: &written)
    }

    private static func write(_ bytes: [UInt8], to number: CInt, written: inout Int) throws(SystemError) {
        written = 0
        while written < bytes.count {
            let rest = bytes[written...]
            let count = rest.withUnsafeBytes { Glibc.write(number, $0.baseAddress, $0.count) }
            if count < 0 {
                switch errno {
                case EINTR: continue
                case EAGAIN:
                    // Somebody who has the same file open, such as our parent, made it non-blocking for all.
                    var ready = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
                    poll(&ready, 1, -1)
                    continue
                default: throw SystemError("write")
                }
            }
            written += count
        }
    }

    /// The contents of a file, or nil where there is none to be read; for the kernel's own files.
    public static func contents(of path: String) -> String? {
        guard let bytes = try? Descriptor(reading: path).readToEnd() else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension Descriptor {
    /// Opens a file for reading whose name comes from outside: what is no regular file, such as a pipe that would never end,
    /// is refused.
    /// - Throws: ``SystemError``, as open(2) says; EINVAL where it is none.
    public init(readingRegularFile path: String) throws(SystemError) {
        let number = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard number >= 0 else { throw SystemError("open") }
        let file = Descriptor(owning: number)
        var status = stat()
        guard fstat(number, &status) == 0 else { throw SystemError("fstat") }
        if status.st_mode & S_IFMT == S_IFDIR { throw SystemError("open", code: EISDIR) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw SystemError("open", code: EINVAL) }
        self = file
    }
}
