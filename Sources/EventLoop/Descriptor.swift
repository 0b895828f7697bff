internal import Glibc

/// The one owner of an open file descriptor, which is closed when its owner's life ends.
public struct Descriptor: ~Copyable, Sendable {
    /// The descriptor's number, for a system call while the owner lives.
    public let number: CInt

    /// Takes over a descriptor that nobody else closes.
    @inlinable
    public init(owning number: CInt) {
        self.number = number
    }

    /// Opens another descriptor for what `number` is open for (dup(2)); the two are closed independently.
    /// - Throws: ``SystemError``: EBADF where nothing is open, EMFILE.
    public init(duplicating number: CInt) throws(SystemError) {
        let copy = fcntl(number, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { throw SystemError("fcntl") }
        self.init(owning: copy)
    }

    /// Gives the descriptor up without closing it; whoever takes the number owns it now.
    public consuming func release() -> CInt {
        let number = number
        discard self
        return number
    }

    deinit {
        // Not retried on EINTR: Linux has let go of the descriptor by then (close(2), "Dealing with error returns").
        close(number)
    }
}
