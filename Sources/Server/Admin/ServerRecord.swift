internal import EventLoop
internal import Observability

/// What the server remembers of itself for those who ask.
struct ServerRecord {
    /// When the server was made, which is when the program was started but for milliseconds.
    let startTime = Timestamp.now
    /// How often it was asked to take another configuration; the ``Reloader`` keeps the account.
    var reloads = Snapshot.Reloads(lastSuccess: .now)
    /// Routes come while it runs, so that to have none is no mistake yet.
    var findsRoutes = false
    var apps = AppWatch()
}
