/// A ``SocketLayer``'s knowledge of what is yet to be received, and so of whether anybody will tell its reader of it.
///
/// The kernel tells once of what has arrived (epoll(7), edge-triggered). A layer takes from the kernel what it likes, hands
/// out what it has kept without asking the kernel, and keeps what is left over; so how much one of its reads has brought says
/// nothing of what the kernel has. This value goes by what the kernel itself has said instead, to one rule: while the kernel
/// or the layer has bytes, an end, or an error for the reader, either the kernel will tell of it, or ``mayHaveMore`` is true.
///
/// A value without effects: events go in, answers come out.
public struct LayerReadiness: Hashable, Sendable {
    /// The parties that have something for the reader.
    public enum State: Hashable, CaseIterable, Sendable {
        /// Nobody: the kernel was found empty, and will tell of whatever comes.
        case nobody
        /// Perhaps the kernel, and it will not tell again.
        case kernel
        /// The layer: what the kernel will never tell of.
        case layer
        /// The layer, and perhaps the kernel.
        case both
        /// The layer has an end or an error to tell, for good; the kernel is not asked any more.
        case ended
    }

    /// The events that change it.
    public enum Event: Hashable, CaseIterable, Sendable {
        /// The kernel has told of something to be received, of an end, or of an error.
        case kernelTold
        /// A receive has brought all that it asked for: there may be more.
        case receivedAll
        /// A receive has brought less than it asked for, or nothing: the kernel has no more.
        case receivedLess
        /// The layer has something left that can be read.
        case kept
        /// The layer has nothing left that can be read; a piece of a record is nothing yet.
        case keptNothing
        /// The layer's stream has ended or failed.
        case ended
    }

    public private(set) var state = State.nobody

    public init() {}

    /// Whether a read may bring something of which the kernel will not tell.
    public var mayHaveMore: Bool { state != .nobody }

    /// Whether the kernel may have something of which it will not tell.
    public var kernelMayHaveMore: Bool { state == .kernel || state == .both }

    /// Takes note of what has happened.
    public mutating func note(_ event: Event) {
        state =
            switch (event, state) {
            case (_, .ended), (.ended, _): .ended
            case (.kernelTold, .nobody), (.kernelTold, .kernel): .kernel
            case (.kernelTold, .layer), (.kernelTold, .both): .both
            case (.receivedAll, .nobody), (.receivedAll, .kernel): .kernel
            case (.receivedAll, .layer), (.receivedAll, .both): .both
            case (.receivedLess, .nobody), (.receivedLess, .kernel): .nobody
            case (.receivedLess, .layer), (.receivedLess, .both): .layer
            case (.kept, .nobody), (.kept, .layer): .layer
            case (.kept, .kernel), (.kept, .both): .both
            case (.keptNothing, .nobody), (.keptNothing, .layer): .nobody
            case (.keptNothing, .kernel), (.keptNothing, .both): .kernel
            }
    }
}

extension LayerReadiness.Event {
    /// Reads from a receive how the kernel is left. An end or an error will be found again.
    public init(_ result: Socket.TransferResult, askedFor count: Int) {
        self =
            switch result {
            case .moved(let moved): moved < count ? .receivedLess : .receivedAll
            case .wouldBlock: .receivedLess
            case .endOfStream, .failed: .receivedAll
            }
    }
}
