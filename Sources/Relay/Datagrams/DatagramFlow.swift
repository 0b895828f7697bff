public import EventLoop
public import Network

/// One client's datagrams to and fro: its own socket to the app, and what is known of it.
///
/// A flow has no end of its own; it ends when nothing has come either way for a while, or for one of the reasons of
/// ``DatagramRelay``. Belongs to its loop's thread, and is kept by its relay.
public final class DatagramFlow: DescriptorEvent {
    /// The app's end of a flow.
    public struct Upstream: Sendable {
        public let address: SocketAddress
        /// The index of that address among the app's.
        public let candidate: Int
        /// Whether the app has other addresses, so that a refusal is worth hearing while the datagram is there.
        public let mayBeElsewhere: Bool

        public init(address: SocketAddress, candidate: Int, mayBeElsewhere: Bool) {
            self.address = address
            self.candidate = candidate
            self.mayBeElsewhere = mayBeElsewhere
        }
    }

    public let path: DatagramPath
    public let upstream: Upstream
    public let started: MonotonicTime
    /// The moment when a datagram was last carried, by the kernel's coarse clock.
    public internal(set) var lastActivity: MonotonicTime
    public internal(set) var datagramsToApp: UInt64 = 0
    public internal(set) var datagramsToClient: UInt64 = 0
    public internal(set) var bytesToApp: UInt64 = 0
    public internal(set) var bytesToClient: UInt64 = 0
    /// For the use of the relay's owner.
    public var context: AnyObject?

    /// The client has said something to which nothing has been said back.
    public internal(set) var awaitsAnswer = false

    let socket: DatagramSocket
    /// Stops its flows before it ends.
    unowned let relay: DatagramRelay
    /// The number of datagrams that the app is expected to have sent when the socket is readable: a call for more than
    /// there are is in vain for the last one.
    private var expected = 1
    private var isBulky = false
    private var overflow = ReceiveOverflow()

    /// The queue that it stands in while it may be ended for others.
    var queue: FlowQueue?
    var queuedAt: MonotonicTime
    var previousInQueue: DatagramFlow?
    var nextInQueue: DatagramFlow?

    /// More than this many answers at once are a stream.
    private static let bulk = 8

    init(
        _ path: DatagramPath, to upstream: Upstream, on socket: consuming DatagramSocket, of relay: DatagramRelay,
        loop: EventLoop
    ) throws(SystemError) {
        self.path = path
        self.upstream = upstream
        self.socket = socket
        self.relay = relay
        started = .coarse
        lastActivity = started
        queuedAt = started
        super.init(self.socket.number, on: loop, for: .readable, trigger: .level)
        try startWatching()
    }

    deinit {
        // The event goes first; the socket is closed when the stored properties are destroyed.
        stopWatchingToClose()
    }

    /// The address from which the app sees its datagrams come.
    public var source: SocketAddress? { socket.localAddress }

    /// The number of answers that the kernel has dropped since the last time for want of room.
    var overflowNews: UInt64 {
        // Where few have come at once, there was room.
        isBulky ? overflow.news(of: socket) : 0
    }

    /// Ends it for another client, who gets its permit.
    public func displace() {
        relay.end(self, .displaced)
    }

    /// The app has answered, or its kernel has refused what was sent.
    public override func becameReady(_ readiness: Readiness) {
        relay.receiveAnswers(of: self)
    }

    /// Receives what the app has sent, behind what is in the batch.
    func receive(into batch: DatagramBatch) -> DatagramBatch.Result {
        let limit = min(expected, batch.room)
        let result = batch.receive(from: socket, limit: limit)
        guard case .received(let count) = result else { return result }
        expected = count == limit ? min(expected * 2, DatagramBatch.capacity) : count
        if !isBulky, expected > Self.bulk {
            isBulky = true
            socket.prepareForBulk()
        }
        return result
    }
}
