/// Follows a message's body, however it is framed, and tells what of it to pass on and where it ends.
public struct BodyScanner: Sendable {
    @usableFromInline let framing: BodyFraming
    /// The bytes that are still to come of a body with a length.
    private var remaining: UInt64 = 0
    @usableFromInline private(set) var plainBytes: UInt64 = 0
    /// The scanner of a chunked body; nil for the others, which are most, so that nothing is made and destroyed for them.
    @usableFromInline private(set) var chunks: ChunkedScanner?

    public init(_ framing: BodyFraming, output: BodyOutput = .sameFraming) {
        self.framing = framing
        switch framing {
        case .length(let length): remaining = length
        case .chunked: chunks = ChunkedScanner(output: output)
        case .none, .untilClose: break
        }
    }

    /// Looks at bytes that have arrived. Call it again at ``BodyStep/next`` while the body goes on and there are bytes left: a
    /// part that is left out makes one piece two steps.
    /// - Parameter start: the first byte that no earlier step has covered.
    public mutating func scan(_ bytes: Span<UInt8>, from start: Int) -> BodyStep {
        if let step = chunks?.scan(bytes, from: start) { return step }
        switch framing {
        case .none, .chunked:
            return BodyStep(pass: start..<start, next: start, outcome: .ended)
        case .length:
            let count = min(remaining, UInt64(bytes.count - start))
            advance(by: count)
            let end = start + Int(count)
            return BodyStep(pass: start..<end, next: end, outcome: remaining == 0 ? .ended : .goesOn)
        case .untilClose:
            plainBytes += UInt64(bytes.count - start)
            return BodyStep(pass: start..<bytes.count, next: bytes.count, outcome: .goesOn)
        }
    }

    /// The number of the next bytes that are the body's own and may be moved without being looked at, if ``advance(by:)`` is
    /// told. The highest number for a body that ends with its connection; 0 where framing is next.
    public var plainBytesAhead: UInt64 {
        switch framing {
        case .none: 0
        case .length: remaining
        case .untilClose: .max
        case .chunked: chunks?.plainBytesAhead ?? 0
        }
    }

    /// Takes note of bytes that were moved unseen; at most ``plainBytesAhead``. After the last of a body with a length,
    /// ``scan(_:from:)`` tells the end without any bytes.
    public mutating func advance(by count: UInt64) {
        switch framing {
        case .none:
            precondition(count == 0)
        case .length:
            remaining -= count
            plainBytes += count
        case .untilClose:
            plainBytes += count
        case .chunked:
            if count > 0 { chunks?.advance(by: count) }
        }
    }

    /// The body's own bytes so far, without framing.
    @inlinable
    public var payloadBytes: UInt64 { chunks?.payloadBytes ?? plainBytes }

    /// The bytes to be sent behind the last step's once the body has ended: the trailers that may be passed on and the empty
    /// line; nothing if there were no trailers.
    public var trailerSection: [UInt8] { chunks?.trailerSection ?? [] }

    /// Whether the end of the connection is the regular end of the body.
    public var endsWithConnection: Bool { framing == .untilClose }
}
