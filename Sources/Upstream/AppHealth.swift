public import EventLoop

/// Whether a route's app is there, as its clients' own connections have shown.
public enum AppHealth: Equatable, Sendable {
    /// Nobody has tried yet.
    case unknown
    /// It has taken connections since then.
    case up(since: MonotonicTime)
    /// Nobody has been listening since then.
    case down(since: MonotonicTime)

    /// The moment of its last change.
    var since: MonotonicTime? {
        switch self {
        case .unknown: nil
        case .up(let since), .down(let since): since
        }
    }

    var isUp: Bool { if case .up = self { true } else { false } }
    var isDown: Bool { if case .down = self { true } else { false } }
}
