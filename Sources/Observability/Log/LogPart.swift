/// The subject of a log line. The raw value is its name in the configuration and in JSON lines: an interface.
///
/// Each part can have a level of its own.
public enum LogPart: String, CaseIterable, Sendable, Codable {
    /// Connections and requests that have ended.
    case access
    /// The admin port.
    case admin
    /// The configuration and its reloads.
    case configuration
    /// Listening sockets found here, and which of them are bridged.
    case discovery
    /// Listeners, and the limits on clients.
    case listeners
    /// The log itself.
    case log
    /// The event loops.
    case loop
    /// The start and the end of the program and of its child.
    case process
    /// The app: whether it listens, and clients that wait for it.
    case upstream

    /// The part's subject, in a few words.
    public var explanation: String {
        switch self {
        case .access: "connections and requests that have ended, unless access is false"
        case .admin: "the admin port"
        case .configuration: "the configuration and its reloads"
        case .discovery: "listening sockets found here, and which of them are bridged"
        case .listeners: "listeners, and the limits on clients"
        case .log: "the log itself: lines that were dropped because nobody read them in time"
        case .loop: "the event loops"
        case .process: "the start and the end of the program and of its child"
        case .upstream: "the app: whether it listens, and clients that wait for it"
        }
    }

    /// Whether repeats are left out. Each line of the access log is about something else, and each reload was asked
    /// for.
    var leavesRepeatsOut: Bool {
        switch self {
        case .access, .configuration: false
        case .admin, .discovery, .listeners, .log, .loop, .process, .upstream: true
        }
    }
}
