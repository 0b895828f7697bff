/// The progress of parsing a head.
public enum HeadProgress<Fault: Sendable & Equatable>: Sendable, Equatable {
    /// More bytes are needed.
    case incomplete
    /// The head is whole and takes this many bytes; what follows is the body or the next message.
    case complete(length: Int)
    /// It can never become valid; nothing after it on this connection means anything.
    case invalid(Fault)
}
