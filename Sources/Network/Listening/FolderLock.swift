internal import CLinux
internal import EventLoop
internal import Glibc

/// Keeps others who use it out of a folder for as long as it lives (flock(2)); leaves no file behind.
///
/// It is a courtesy among ourselves: two of us that find the same dead socket take turns. Whoever else holds the folder,
/// or a file system that knows no locks, must not keep us from working; so it gives up after a while.
struct FolderLock: ~Copyable {
    private static let pause: UInt32 = 5_000
    private static let mostPauses = 100

    private let folder: Descriptor?

    /// Waits up to half a second for the folder that `path` is in.
    init(ofFile path: String) {
        let end = path.lastIndex(of: "/") ?? path.startIndex
        do {
            let folder = try Descriptor(reading: end == path.startIndex ? "/" : String(path[..<end]))
            Self.wait(for: folder.number)
            self.folder = consume folder
        } catch {
            folder = nil
        }
    }

    private static func wait(for number: CInt) {
        for _ in 0..<mostPauses {
            if clinux_try_lock(number) == 0 || errno != EWOULDBLOCK { return }
            usleep(pause)
        }
    }
}
