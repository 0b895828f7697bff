/// How many workers, each a thread with an event loop, carry traffic.
public enum WorkerCount: Sendable, Hashable, CustomStringConvertible {
    /// As many as this process may use CPUs.
    case auto
    /// This many, 1 to ``most``.
    case count(Int)

    /// The most workers that can be asked for.
    public static let most = 1024

    /// `auto` or the number.
    public var description: String {
        switch self {
        case .auto: "auto"
        case .count(let count): "\(count)"
        }
    }
}
