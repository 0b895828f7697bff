public import EventLoop
internal import Glibc
internal import CLinux

/// The socket on which a service manager wants to hear of this process (sd_notify(3)).
public struct NotificationSocket: ~Copyable, Sendable {
    private let address: SocketAddress
    private let socket: Socket

    /// - Parameter name: as in `NOTIFY_SOCKET`: an absolute path, or an abstract name behind an `@`.
    /// - Throws: ``SystemError``: EAFNOSUPPORT for another name, EMFILE.
    public init(named name: String) throws(SystemError) {
        guard name.hasPrefix("/") || name.hasPrefix("@"), name.utf8.count <= SocketAddress.longestUnixPath else {
            throw SystemError("socket", code: EAFNOSUPPORT)
        }
        let number = clinux_socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0)
        guard number >= 0 else { throw SystemError("socket") }
        socket = Socket(owning: Descriptor(owning: number))
        address = .unix(path: name)
    }

    /// Says something, a line `NAME=VALUE` each; never waits for who does not listen.
    /// - Throws: ``SystemError``, as sendto(2) says.
    public func send(_ lines: [String]) throws(SystemError) {
        let text = Array(lines.joined(separator: "\n").utf8)
        let sent = address.withKernelForm { sendto(socket.number, text, text.count, CInt(MSG_NOSIGNAL), $0, $1) }
        guard sent == text.count else { throw SystemError("sendto") }
    }
}
