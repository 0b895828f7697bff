internal import EventLoop

/// A ``HalfDuplex``'s memory of its source, which tells only once what it has become ready for.
///
/// It goes by one rule: while the source has bytes, an end, or an error, either it will tell of that, or ``mayReceive``
/// is true. A value without effects: each event makes another one.
struct SourceReadiness: Hashable, Sendable {
    enum AnnouncedEnd: Hashable, Sendable {
        case none
        case endOfStream
        case failure
        /// Everything before the end has been read.
        case reached
    }

    /// Whether a receive may bring anything, an end or an error included.
    private(set) var mayReceive = false
    /// The end behind what can be read; it raises no event of its own any more.
    private(set) var announcedEnd = AnnouncedEnd.none
    /// TCP's urgent mark is ahead (tcp(7)): a read ends there, however much is behind it.
    private(set) var hasMarkAhead = false

    /// The source has told what it has become ready for.
    func told(_ readiness: IOEvent.Readiness) -> SourceReadiness {
        if readiness.isDisjoint(with: [.readable, .endOfStream, .failed]) { return self }
        var result = self
        result.mayReceive = true
        if readiness.contains(.urgent) { result.hasMarkAhead = true }
        if readiness.contains(.failed) {
            result.announcedEnd = .failure
        } else if readiness.contains(.endOfStream), announcedEnd == .none {
            result.announcedEnd = .endOfStream
        }
        return result
    }

    /// The source has failed without telling of what it had said before.
    func toldNothingOfFailure() -> SourceReadiness {
        var result = self
        if announcedEnd != .reached { result.mayReceive = true }
        return result
    }

    /// A receive has brought less than it might have, and no layer has kept anything: that was all for now.
    /// - Parameter isLastBeforeEnd: of an end that was announced before it, nothing else can be in between.
    func afterShortRead(isLastBeforeEnd: Bool) -> SourceReadiness {
        if hasMarkAhead { return self }
        var result = self
        switch announcedEnd {
        case .none: result.mayReceive = false
        // The end itself raises no event any more.
        case .endOfStream: if isLastBeforeEnd { result.announcedEnd = .reached }
        case .failure, .reached: break
        }
        return result
    }

    /// A receive has brought nothing.
    func afterVainRead() -> SourceReadiness {
        var result = self
        result.mayReceive = false
        result.hasMarkAhead = false
        return result
    }

    /// Nothing more comes. An end behind a failure that was told already is none.
    func afterEnd() -> SourceReadiness {
        var result = afterVainRead()
        if announcedEnd != .failure { result.announcedEnd = .reached }
        return result
    }

    /// A receive has failed.
    func afterFailure() -> SourceReadiness {
        var result = afterVainRead()
        result.announcedEnd = .failure
        return result
    }
}
