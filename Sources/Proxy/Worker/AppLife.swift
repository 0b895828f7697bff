/// The state of the app's process.
///
/// When a process is killed, the kernel ends its connections as if it had closed them. The process's parent can tell
/// the two apart.
public enum AppLife: Sendable {
    case lives
    /// The process is ending, and the cause is not known yet.
    case isEnding
    /// The process has ended by itself.
    case hasExited
    /// A signal has ended the process.
    case wasKilled
}
