internal import EventLoop
internal import Observability

/// The facts about the server itself that a snapshot has.
struct ServerRecord {
    /// The time at which the server was made, within milliseconds of the program's start.
    let startTime = Timestamp.now
    /// The account of reloads, which ``Reloader`` keeps.
    var reloads = Snapshot.Reloads(lastSuccess: .now)
    /// Whether routes come while the server runs (``AutoBridge``), so that having none is no mistake yet.
    var findsRoutes = false
    var apps = AppWatch()
}
