internal import Network

/// Keeps a Unix socket's file where it is, for as long as somebody keeps this.
final class UnixSocketHolder {
    private let socket: UnixListeningSocket

    init(_ socket: consuming UnixListeningSocket) {
        self.socket = socket
    }
}
