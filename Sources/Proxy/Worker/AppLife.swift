/// What is known of the app's process at a moment.
///
/// When a process is killed, the kernel ends its connections as if it had closed them. Who has started the process can tell
/// the two apart.
public enum AppLife: Sendable {
    case lives
    /// It is about to be known how it ends.
    case isEnding
    /// It has ended by itself.
    case hasExited
    /// A signal has ended it.
    case wasKilled
}
