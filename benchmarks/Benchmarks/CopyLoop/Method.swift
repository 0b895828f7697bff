/// Which copy loop, with which size.
enum Method {
    /// The product's own relay.
    case adaptive
    /// recv(2) and send(2) through one buffer of this many bytes, shared by all streams.
    case receiveAndSend(Int)
    /// splice(2) through a pipe of this many bytes for each direction of each stream.
    case splice(Int)

    var name: String {
        switch self {
        case .adaptive: "adaptive"
        case .receiveAndSend(let size): "recv/send \(size >> 10) KiB"
        case .splice(let size): "splice \(size >> 10) KiB"
        }
    }

    func relay(for streams: [Stream]) throws -> any RelayUnderTest {
        switch self {
        case .adaptive:
            return try AdaptiveRelay(streams)
        case .receiveAndSend(let size):
            let buffer = ScratchBuffer(size: size)
            return try EpollRelay(streams) { BufferCarrier(through: buffer) }
        case .splice(let size):
            return try EpollRelay(streams) { try PipeCarrier(size: size) }
        }
    }
}
