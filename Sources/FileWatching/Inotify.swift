internal import EventLoop
internal import Glibc

/// The kernel's news about files (inotify(7)).
struct Inotify: ~Copyable {
    /// The kinds of change that one event tells, one bit each.
    struct Kind: OptionSet, Hashable {
        let rawValue: UInt32

        static let modified = Kind(rawValue: UInt32(IN_MODIFY))
        static let attributes = Kind(rawValue: UInt32(IN_ATTRIB))
        /// A writer of the file has closed it.
        static let written = Kind(rawValue: UInt32(IN_CLOSE_WRITE))
        static let created = Kind(rawValue: UInt32(IN_CREATE))
        static let movedIn = Kind(rawValue: UInt32(IN_MOVED_TO))
        static let movedOut = Kind(rawValue: UInt32(IN_MOVED_FROM))
        static let deleted = Kind(rawValue: UInt32(IN_DELETE))
        static let selfDeleted = Kind(rawValue: UInt32(IN_DELETE_SELF))
        static let selfMoved = Kind(rawValue: UInt32(IN_MOVE_SELF))
        /// Events were lost: there were too many.
        static let overflow = Kind(rawValue: UInt32(IN_Q_OVERFLOW))
    }

    struct Event {
        /// The number of the watch that it belongs to; -1 for an overflow.
        let watch: CInt
        let kind: Kind
        /// The name of the directory's entry that it is about; empty for the watched directory or file itself.
        let name: String
    }

    private let descriptor: Descriptor

    /// - Throws: ``SystemError``: EMFILE where the user's instances are used up, ENOSYS in some sandboxes.
    init() throws(SystemError) {
        let number = inotify_init1(CInt(IN_NONBLOCK | IN_CLOEXEC))
        guard number >= 0 else { throw SystemError("inotify_init1") }
        descriptor = Descriptor(owning: number)
    }

    /// The descriptor's number, which is readable when there are events.
    var number: CInt { descriptor.number }

    /// Watches a directory for what happens to its entries.
    /// - Returns: the watch's number; the same for the same directory, whatever it is called.
    /// - Throws: ``SystemError``: ENOENT, ENOTDIR, EACCES, ENOSPC where the user's watches are used up.
    func watch(directory path: String) throws(SystemError) -> CInt {
        let kinds: Kind = [.created, .movedIn, .movedOut, .deleted, .written, .selfDeleted, .selfMoved]
        return try watch(path, kinds.rawValue | UInt32(IN_ONLYDIR) | UInt32(IN_EXCL_UNLINK))
    }

    /// Watches a file for what happens to its contents.
    /// - Throws: as ``watch(directory:)``.
    func watch(file path: String) throws(SystemError) -> CInt {
        let kinds: Kind = [.modified, .written, .attributes, .selfDeleted, .selfMoved]
        return try watch(path, kinds.rawValue)
    }

    private func watch(_ path: String, _ mask: UInt32) throws(SystemError) -> CInt {
        let watch = inotify_add_watch(number, path, mask)
        guard watch >= 0 else { throw SystemError("inotify_add_watch") }
        return watch
    }

    /// Ends a watch. It may have ended by itself, with what it watched.
    func end(watch: CInt) {
        inotify_rm_watch(number, watch)
    }

    /// Takes the events that there are, without waiting.
    func takeEvents() -> [Event] {
        var events: [Event] = []
        // Room for any name (NAME_MAX), and for many events.
        withUnsafeTemporaryAllocation(byteCount: 8192, alignment: 8) { buffer in
            while true {
                let count = read(number, buffer.baseAddress, buffer.count)
                guard count > 0 else {
                    if count < 0, errno == EINTR { continue }
                    return
                }
                var rest = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                // The kernel writes whole events: the header, and as many bytes of the name, padded with zeroes, as it says.
                while let header = rest.baseAddress?.load(as: inotify_event.self) {
                    let headerSize = MemoryLayout<inotify_event>.size
                    let size = headerSize + Int(header.len)
                    let name = rest[headerSize..<size].prefix { $0 != 0 }
                    events.append(
                        Event(
                            watch: header.wd, kind: Kind(rawValue: header.mask),
                            name: String(decoding: name, as: UTF8.self)
                        ))
                    guard rest.count > size else { break }
                    rest = UnsafeRawBufferPointer(rebasing: rest[size...])
                }
            }
        }
        return events
    }
}
