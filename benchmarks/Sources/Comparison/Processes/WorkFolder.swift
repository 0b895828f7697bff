import Foundation
import Synchronization

/// A temporary folder for configurations and the output of processes; removed with this object, or on a signal.
public final class WorkFolder: Sendable {
    let path: String
    private let number = Mutex(0)

    public init() throws {
        let path = NSTemporaryDirectory() + "/loopbridge-bench-\(getpid())"
        self.path = path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        ProcessRegistry.onClose { try? FileManager.default.removeItem(atPath: path) }
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
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
