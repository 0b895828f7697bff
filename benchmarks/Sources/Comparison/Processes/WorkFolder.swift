import Foundation
import Glibc
import Synchronization

/// A temporary folder for configurations and the output of processes; removed with this object, or on a signal.
public final class WorkFolder: Sendable {
    let path: String
    private let number = Mutex(0)

    private static let prefix = "loopbridge-bench-"

    public init() throws {
        let parent = FileManager.default.temporaryDirectory
        let path = parent.appending(path: "\(WorkFolder.prefix)\(getpid())-\(UUID().uuidString)").path
        self.path = path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        ProcessRegistry.onClose {
            // Somebody may be writing there still, so once may not be enough.
            try? Wait.until("the folder is gone", seconds: 2) {
                try? FileManager.default.removeItem(atPath: path)
                return access(path, F_OK) != 0
            }
        }
        WorkFolder.removeStale(in: parent)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Removes what comparisons that were killed have left behind.
    private static func removeStale(in parent: URL) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: parent.path)) ?? []
        where name.hasPrefix(prefix) {
            let process = name.dropFirst(prefix.count).prefix { $0 != "-" }
            guard access("/proc/\(process)", F_OK) != 0 else { continue }
            try? FileManager.default.removeItem(at: parent.appending(path: name))
        }
    }

    /// The path of a file that nobody else uses.
    func newPath(_ suffix: String) -> String {
        let number = number.withLock { number in
            number += 1
            return number
        }
        return "\(path)/\(number).\(suffix)"
    }

    /// A new, empty folder in it.
    func newFolder() throws -> String {
        let folder = newPath("d")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }

    /// Forgets what processes have written so far.
    func empty() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] {
            try? FileManager.default.removeItem(atPath: "\(path)/\(name)")
        }
    }
}
