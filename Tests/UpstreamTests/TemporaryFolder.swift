import EventLoop
import Glibc
import Network

/// A folder of the test's own, which goes with it.
final class TemporaryFolder {
    let path: String

    init() throws {
        var template = Array("/tmp/loopbridge-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp") }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit {
        rmdir(path)
    }

    /// The address of a Unix socket in the folder.
    func socket(_ name: String) -> SocketAddress { .unix(path: "\(path)/\(name)") }
}
