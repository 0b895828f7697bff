internal import Glibc

extension Socket {
    /// The state of a connection on which nobody reads.
    public enum IdleState: Equatable, Sendable {
        /// Nothing has happened.
        case quiet
        /// The peer has said something, which is there to be read, and may say more.
        case spokenTo
        /// The peer has finished sending, whatever it said before, or the connection has failed.
        case ended
    }

    /// Asks the kernel what has arrived so far (poll(2)), and reads nothing.
    public var idleState: IdleState {
        // Glibc's module leaves out what takes a feature macro: POLLRDHUP.
        let peerHasFinished: CShort = 0x2000
        var query = pollfd(fd: number, events: CShort(POLLIN) | peerHasFinished, revents: 0)
        var result: CInt
        repeat { result = poll(&query, 1, 0) } while result < 0 && errno == EINTR
        if mayHaveMore { return .spokenTo }
        guard result != 0 else { return .quiet }
        return result == 1 && query.revents == CShort(POLLIN) ? .spokenTo : .ended
    }

    /// Whether the peer has finished sending, or the connection has failed, and there is nothing left to be read.
    public var hasEndedUnread: Bool { unread == .end }

    /// The outcome that a read would have.
    public enum Unread: Equatable, Sendable {
        case nothing
        case something
        /// The end of what the peer says, or a failure.
        case end
    }

    /// Looks at what a read would bring, and leaves it there.
    public var unread: Unread {
        var byte: UInt8 = 0
        return switch withUnsafeMutableBytes(of: &byte, { receive(into: $0, peek: true) }) {
        case .moved: .something
        case .wouldBlock: .nothing
        case .endOfStream, .failed: .end
        }
    }
}
