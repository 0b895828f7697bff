package import Configuration
package import EventLoop
package import HTTP1
package import Passwords

/// The users who may use a route, by name and password (`http.basic_auth`), for all workers. Callable from every thread.
///
/// Remembers for a while which passwords were right, so that a client waits for the check once and not with each request.
package final class BasicAuth: Sendable {
    /// A keyed hash of a name and a password that were right, from which neither can be found out.
    private struct Mark: Hashable {
        let first: Int
        let second: Int
    }

    private struct State {
        /// The passwords in force; nil where no good file has been read yet, and nobody is let in.
        var file: PasswordFile?
        /// The number of files that were read: a password that was right by an older one is checked again.
        var edition = 0
        var letIn: [Mark: MonotonicTime] = [:]
    }

    /// The time for which a right password is remembered.
    static let memory = Duration.seconds(60)
    /// The number of right passwords that are remembered.
    static let mostMarks = 10_000

    package let settings: BasicAuthSettings
    package let path: String
    package var realm: String { settings.realm }
    private let state = Guarded(State())
    /// A secret of this process, so that nobody can make up a password with the mark of another one.
    private let key = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))

    /// - Returns: nil where the settings name no file, and nobody is asked.
    package init?(_ settings: BasicAuthSettings) {
        guard let path = settings.file else { return nil }
        self.settings = settings
        self.path = path
    }

    /// Replaces the passwords in force, and forgets which ones were right before.
    /// - Returns: whether the file differs from the one before.
    package func use(_ file: PasswordFile) -> Bool {
        state.withLock { state in
            guard file != state.file else { return false }
            state.file = file
            state.edition += 1
            state.letIn = [:]
            return true
        }
    }

    /// The state of a name and a password.
    package enum Answer {
        /// They were right a moment ago, and are not checked again.
        case right
        /// They must be checked against the file (``PasswordThread``).
        case ask(PasswordFile, edition: Int)
        /// No good file has been read, so that nobody is let in.
        case nobody
    }

    package func answer(_ credentials: BasicCredentials, at now: MonotonicTime) -> Answer {
        let mark = mark(of: credentials)
        return state.withLock { state in
            guard let file = state.file else { return .nobody }
            if let end = state.letIn[mark], now < end { return .right }
            return .ask(file, edition: state.edition)
        }
    }

    /// Remembers that a name and a password were right.
    /// - Parameter edition: the edition that ``answer(_:at:)`` has given.
    package func letIn(_ credentials: BasicCredentials, edition: Int, at now: MonotonicTime) {
        let mark = mark(of: credentials)
        state.withLock { state in
            guard state.edition == edition else { return }
            if state.letIn.count >= Self.mostMarks {
                state.letIn = state.letIn.filter { now < $0.value }
                if state.letIn.count >= Self.mostMarks { state.letIn = [:] }
            }
            state.letIn[mark] = now.advanced(by: Self.memory)
        }
    }

    private func mark(of credentials: BasicCredentials) -> Mark {
        func half(_ key: UInt64) -> Int {
            var hasher = Hasher()
            hasher.combine(key)
            hasher.combine(credentials)
            return hasher.finalize()
        }
        return Mark(first: half(key.0), second: half(key.1))
    }
}
