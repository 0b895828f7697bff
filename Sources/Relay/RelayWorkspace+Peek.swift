public import Network

extension RelayWorkspace {
    /// Looks at what has arrived and leaves it where it is (MSG_PEEK); ``withReceived(_:_:)`` has the bytes.
    public func peek(at socket: borrowing Socket, upTo limit: Int) -> Socket.TransferResult {
        socket.receive(into: UnsafeMutableRawBufferPointer(rebasing: scratch[..<limit]), peek: true)
    }

    /// Takes bytes out of the socket that ``peek(at:upTo:)`` has brought; what follows stays.
    /// - Returns: false where they are not there any more, because the connection has failed.
    public func discard(_ count: Int, from socket: borrowing Socket) -> Bool {
        var left = count
        while left > 0 {
            switch socket.receive(into: UnsafeMutableRawBufferPointer(rebasing: scratch[..<left])) {
            case .moved(let moved): left -= moved
            case .wouldBlock, .endOfStream, .failed: return false
            }
        }
        return true
    }
}
