internal import CLinux
public import EventLoop
public import Memory
internal import Network

/// The memory that all relays of one worker share: the scratch buffer and the pipes through which bytes go, and the account of
/// parked bytes.
///
/// Belongs to its loop's thread.
public final class RelayWorkspace {
    /// The most that one receive takes, in bytes: few large moves beat many small ones (docs/benchmarks.md).
    public static let scratchSize = 1 << 20
    /// The most that a worker's relays park together where memory is not scarce, in bytes.
    public static let usualParkingLimit = 32 << 20

    public let loop: EventLoop
    /// Between two calls nothing in it is of use to anybody: whoever receives into it empties it in the same call.
    let scratch: UnsafeMutableRawBufferPointer
    /// The most that may be parked, in bytes; what is parked already stays when it is lowered.
    public var parkingLimit: Int
    /// The worker's part of the memory that is left; nil where nobody asks.
    private let memory: MemoryAllowance?

    /// For streams that come in bulk.
    var pipes: PipePool

    /// The memory that parked bytes take up now, in bytes.
    public internal(set) var parkedBytes = 0 {
        didSet {
            if parkedBytes == 0 { returnMemory() } else { mostParked = max(mostParked, parkedBytes) }
            if parkedBytes > oldValue { memory?.grew(by: parkedBytes - oldValue) }
        }
    }
    /// The most since memory was last returned.
    private var mostParked = 0

    /// - Parameters:
    ///   - parkingLimit: the most that this worker's relays may park together, in bytes. Above it a relay leaves in the
    ///     kernel what the other side does not take, at the price of one more system call.
    ///   - pipes: the most pipes that its relays may have open together, two descriptors each. Where there is none
    ///     left, or none at all, streams are carried by copying.
    ///   - memory: asked before bytes are parked.
    public init(
        on loop: EventLoop, parkingLimit: Int = RelayWorkspace.usualParkingLimit, pipes: Int = 8,
        memory: MemoryAllowance? = nil
    ) {
        self.loop = loop
        self.pipes = PipePool(limit: pipes)
        self.parkingLimit = parkingLimit
        self.memory = memory
        // Page-aligned, and not touched before it is needed: an idle worker does not pay for it.
        scratch = .allocate(byteCount: Self.scratchSize, alignment: 4096)
    }

    deinit {
        scratch.deallocate()
    }

    // MARK: Connections that are to be reset

    private var partings: [ObjectIdentifier: Parting] = [:]
    private var partingTimer: Timer?
    private var partingDelay = RelayWorkspace.shortestPartingDelay

    // Nothing tells that everything was acknowledged, so one has to look: soon at first, and seldom where a peer takes its
    // time. With many, each look may take so much of the time and no more.
    private static let (shortestPartingDelay, longestPartingDelay) = (
        Duration.milliseconds(2), Duration.milliseconds(100)
    )
    private static let delayPerParting = Duration.microseconds(20)

    /// Keeps a parting until it has ended, and has it look now and then whether it has.
    /// - Returns: false where there is no memory for that.
    func watch(_ parting: Parting) -> Bool {
        // The timer is the workspace's own, and goes with it.
        if partingTimer == nil { partingTimer = try? Timer(on: loop) { [unowned self] in lookAtPartings() } }
        guard let partingTimer else { return false }
        partings[ObjectIdentifier(parting)] = parting
        partingDelay = Self.shortestPartingDelay
        if !partingTimer.isScheduled || partings.count == 1 { partingTimer.schedule(after: partingDelay) }
        return true
    }

    func forget(_ parting: Parting) {
        partings[ObjectIdentifier(parting)] = nil
    }

    private func lookAtPartings() {
        var hasMoved = false
        for parting in Array(partings.values) {
            let before = parting.lastActivity
            if parting.look() { parting.cancel() }
            if parting.lastActivity > before { hasMoved = true }
        }
        guard !partings.isEmpty else { return }
        partingDelay = hasMoved ? Self.shortestPartingDelay : min(partingDelay * 2, Self.longestPartingDelay)
        partingTimer?.schedule(after: max(partingDelay, Self.delayPerParting * partings.count))
    }

    // MARK: What was received

    /// The bytes that ``HalfDuplex/receive(from:upTo:in:)`` has just brought, valid for the call.
    public func withReceived<Result>(_ count: Int, _ body: (Span<UInt8>) -> Result) -> Result {
        body(scratch.bindMemory(to: UInt8.self).span.extracting(..<count))
    }

    /// The same with a text put behind the bytes, so that both go out in one piece.
    public func withReceived<Result>(
        _ count: Int, followedBy text: Span<UInt8>, _ body: (Span<UInt8>) -> Result
    ) -> Result {
        precondition(count + text.count <= Self.scratchSize)
        text.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: scratch[count...]).copyMemory(from: $0) }
        return withReceived(count + text.count, body)
    }

    /// Whether so many more bytes may be parked.
    public func mayPark(_ count: Int) -> Bool {
        parkedBytes + count <= parkingLimit && memory?.mayGrow(by: count) != false
    }

    // MARK: Turns

    /// The number of bytes that one relay may move before the other connections have their turn.
    ///
    /// The more are busy, the less each may, so that a turn of all together stays short for whoever has only a little to
    /// say.
    var turnBytes: Int {
        min(max(Self.smallestTurn, Self.turnOfAll / max(tick.count, 1)), Self.largestTurn)
    }

    /// About what all busy relays together move in a turn of each.
    private static let turnOfAll = 8 << 20
    private static let largestTurn = 2 << 20
    /// Below this, more but smaller moves would cost more than they win (README.md).
    private static let smallestTurn = 256 << 10
    /// Moving less than this in a turn is not being busy.
    private static let busyBytes = 64 << 10

    /// The relays that are busy within one tick of the kernel's coarse clock.
    private var tick = BusyCount(interval: .zero)
    /// The relays that are busy within a time in which every stream has its turns, however many there are.
    private var period = BusyCount(interval: .milliseconds(64))

    /// Notes that a relay has moved bytes.
    /// - Parameter last: when the relay had moved something before.
    public func noteMoved(_ bytes: UInt64, at now: MonotonicTime, last: MonotonicTime) {
        let isBusy = bytes >= Self.busyBytes
        tick.note(isBusy, at: now, last: last)
        period.note(isBusy, at: now, last: last)
    }

    /// The most streams that go through pipes. With more, each brings less at a time, and pipes win nothing; but they
    /// make the kernel hold so much that it runs short of memory for sockets (docs/benchmarks.md).
    private static let mostSplicedStreams = 16

    /// A pipe for a bulk stream; nil where it is to be copied.
    func takePipe() -> SplicePipe? {
        period.count <= Self.mostSplicedStreams ? pipes.take() : nil
    }

    /// The least that is worth returning to the system, in bytes.
    private static let worthReturning = 4 << 20

    /// After a crowd of slow readers, their blocks' memory lies scattered and free in the allocator, which keeps it
    /// unless it is told otherwise (malloc_trim(3)).
    private func returnMemory() {
        guard mostParked >= Self.worthReturning else { return }
        mostParked = 0
        malloc_trim(0)
    }
}
