/// The number of workers, each a thread with an event loop.
public enum WorkerCount: Sendable, Hashable, CustomStringConvertible {
    /// One for each CPU that this process may use.
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
