internal import EventLoop
internal import FileWatching
internal import Observability

/// Follows the files of certificates and keys, and tells when one has changed. Belongs to the control loop.
final class CertificateFiles {
    private let loop: EventLoop
    private let log: Log
    private let onChange: (String) -> Void
    private var watchers: [String: FileWatcher] = [:]

    /// - Parameter onChange: called with the path of a file that has become another.
    init(on loop: EventLoop, log: Log, onChange: @escaping (String) -> Void) {
        self.loop = loop
        self.log = log
        self.onChange = onChange
    }

    /// Follows these files from now on, and no others. Where the system refuses to watch one, the log says so.
    func follow(_ paths: Set<String>) {
        for path in watchers.keys where !paths.contains(path) { watchers[path] = nil }
        for path in paths.sorted() where watchers[path] == nil {
            do throws(SystemError) {
                let watcher = try FileWatcher(path, on: loop) { [unowned self] in onChange(path) }
                watchers[path] = watcher
                if let obstacle = watcher.obstacle { complain(path, obstacle) }
            } catch {
                complain(path, error)
            }
        }
    }

    private func complain(_ path: String, _ error: SystemError) {
        log.warning(
            "cannot watch a certificate's file; a change of it takes a SIGHUP or a restart",
            ["file": .text(path), "reason": .text(error.description)])
    }
}
