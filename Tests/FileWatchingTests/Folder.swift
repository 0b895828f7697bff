import EventLoop
import Glibc

/// A folder of the test's own, which goes with all that is in it.
final class Folder {
    let path: String

    /// A file that is open for writing, closed at the end of its life.
    struct OpenFile: ~Copyable {
        private let descriptor: Descriptor

        fileprivate init(_ number: CInt) { descriptor = Descriptor(owning: number) }

        func write(_ text: String) { try? descriptor.write(Array(text.utf8)) }
    }

    /// A file mapped into memory. Writing there is no news to inotify(7) before the end of the mapping.
    struct MappedFile: ~Copyable {
        fileprivate static let size = 1
        private let start: UnsafeMutableRawPointer

        fileprivate init(_ start: UnsafeMutableRawPointer) { self.start = start }

        deinit { munmap(start, Self.size) }

        func overwriteFirstByte(by byte: UInt8) { start.storeBytes(of: byte, as: UInt8.self) }
    }

    init() {
        var template = Array("/tmp/loopbridge-watch-XXXXXX".utf8CString)
        precondition(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit {
        Self.removeAll(path)
    }

    private static func removeAll(_ path: String) {
        if let directory = opendir(path) {
            while let entry = readdir(directory) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) { name in
                    name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                guard name != ".", name != ".." else { continue }
                let place = "\(path)/\(name)"
                if unlink(place) != 0 { removeAll(place) }
            }
            closedir(directory)
        }
        rmdir(path)
    }

    private func place(_ name: String) -> String { "\(path)/\(name)" }

    /// Opens a file for writing, from its beginning, and makes it where there is none.
    func open(_ name: String) throws -> OpenFile {
        let number = Glibc.open(place(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard number >= 0 else { throw SystemError("open") }
        return OpenFile(number)
    }

    func write(_ name: String, _ text: String) throws {
        try open(name).write(text)
    }

    /// Maps a file that has some bytes into memory.
    func map(_ name: String) throws -> MappedFile {
        let number = Glibc.open(place(name), O_RDWR | O_CLOEXEC)
        guard number >= 0 else { throw SystemError("open") }
        let descriptor = Descriptor(owning: number)
        guard let start = mmap(nil, MappedFile.size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor.number, 0),
            start != MAP_FAILED
        else { throw SystemError("mmap") }
        return MappedFile(start)
    }

    /// Returns the time at which a file was written to, as seconds and nanoseconds.
    func date(of name: String) -> [Int] {
        var status = stat()
        stat(place(name), &status)
        return [status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
    }

    func read(_ name: String) -> String? { Descriptor.contents(of: place(name)) }

    func rename(_ old: String, to new: String) { Glibc.rename(place(old), place(new)) }

    func remove(_ name: String) { Glibc.remove(place(name)) }

    func makeFolder(_ name: String) { mkdir(place(name), 0o755) }

    func link(_ name: String, to target: String) { symlink(target, place(name)) }
}
