internal import CLinux
internal import Glibc

extension Socket {
    /// Bounds how much the kernel holds for the socket in each direction, where it otherwise takes up to some MiB
    /// (tcp(7), tcp_rmem and tcp_wmem). What it holds already stays until it is read or sent.
    /// - Parameter bytes: nil leaves it to the kernel again, since Linux 5.14.
    public func boundBuffers(to bytes: Int?) {
        guard let bytes else {
            set(SOL_SOCKET, SO_BUF_LOCK, to: 0)
            return
        }
        set(SOL_SOCKET, SO_SNDBUF, to: CInt(clamping: bytes))
        set(SOL_SOCKET, SO_RCVBUF, to: CInt(clamping: bytes))
    }
}
