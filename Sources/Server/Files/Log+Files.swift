internal import EventLoop
internal import Observability

extension Log {
    /// Warns that a file's changes will not be noticed.
    /// - Parameter file: what it is, as in "the configuration file".
    func cannotWatch(_ file: String, at path: String, _ error: SystemError) {
        warning(
            "cannot watch \(file); a change of it takes a SIGHUP or a restart",
            ["file": .text(path), "reason": .text(error.description)])
    }

    /// Says that a file has changed.
    /// - Parameters:
    ///   - file: what it is, as in "the configuration file".
    ///   - path: nil where it was read because somebody asked; nothing is said then.
    func hasChanged(_ file: String, at path: String?) {
        if let path { info("\(file) has changed", ["file": .text(path)]) }
    }

    /// Warns that a file is missing.
    /// - Parameter file: what it is, as in "the configuration file".
    func hasGone(_ file: String, at path: String) {
        warning("\(file) has gone; what it said still holds", ["file": .text(path)])
    }
}
