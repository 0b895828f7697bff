internal import Network

/// Owns a Unix socket and its file, which is removed when this goes.
final class UnixSocketHolder {
    private let socket: UnixListeningSocket

    init(_ socket: consuming UnixListeningSocket) {
        self.socket = socket
    }
}
