/// What a log line is about. The raw value is its name in the configuration and in JSON lines: an interface.
///
/// Each part can have a level of its own.
public enum LogPart: String, CaseIterable, Sendable, Codable {
    /// Connections and requests that have ended.
    case access
    /// The admin port.
    case admin
    /// What the configuration says, and reading it again.
    case configuration
    /// What is found to listen here, and what is bridged of it.
    case discovery
    /// Where clients are accepted, and the limits on how many.
    case listeners
    /// The log itself.
    case log
    /// The event loops.
    case loop
    /// The program's own start and end, and its child's.
    case process
    /// The way to the app.
    case upstream

    /// What the part's lines are about, in a few words.
    public var explanation: String {
        switch self {
        case .access: "connections and requests that have ended; what access turns off stays off"
        case .admin: "the admin port"
        case .configuration: "the configuration, and reading it again"
        case .discovery: "what is found to listen here, and what is bridged of it"
        case .listeners: "where clients are accepted, and the limits on how many"
        case .log: "the log itself: lines that nobody has taken in time"
        case .loop: "the event loops"
        case .process: "the program's own start and end, and its child's"
        case .upstream: "the way to the app: whether it listens, and who waits for it"
        }
    }

    /// Whether repeats are left out. Each line of the access log tells of something else, and each reload was asked for.
    var leavesRepeatsOut: Bool {
        switch self {
        case .access, .configuration: false
        case .admin, .discovery, .listeners, .log, .loop, .process, .upstream: true
        }
    }
}
