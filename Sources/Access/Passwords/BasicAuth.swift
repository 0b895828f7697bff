package import Configuration
package import EventLoop
package import HTTP1
package import Passwords

/// Who may use a route, by name and password (`http.basic_auth`), for all workers. Callable from every thread.
///
/// Who was let in is let in for a while without being asked again, so that a client pays for a password once and not with each
/// request.
package final class BasicAuth: Sendable {
    /// What is remembered of a name and a password that were right: nothing from which these could be told.
    private struct Mark: Hashable {
        let first: Int
        let second: Int
    }

    private struct State {
        /// Nil where no good file has been read yet: nobody is let in then.
        var file: PasswordFile?
        /// Counts the files: what was right by an old one says nothing.
        var edition = 0
        var letIn: [Mark: MonotonicTime] = [:]
    }

    /// For how long it is remembered that a password was right.
    static let memory = Duration.seconds(60)
    /// For how many names and passwords.
    static let mostMarks = 10_000

    package let settings: BasicAuthSettings
    package let path: String
    package var realm: String { settings.realm }
    private let state = Guarded(State())
    /// Known to nobody, so that nobody can make up a password whose mark is another one's.
    private let key = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))

    /// - Returns: nil where nobody is to be asked.
    package init?(_ settings: BasicAuthSettings) {
        guard let path = settings.file else { return nil }
        self.settings = settings
        self.path = path
    }

    /// Goes by what the file says from now on, and forgets who was let in by what it said before.
    /// - Returns: whether it says something else than before.
    package func use(_ file: PasswordFile) -> Bool {
        state.withLock { state in
            guard file != state.file else { return false }
            state.file = file
            state.edition += 1
            state.letIn = [:]
            return true
        }
    }

    /// What is known of a name and a password.
    package enum Answer {
        /// They were right a moment ago.
        case right
        /// They must be held against the file.
        case ask(PasswordFile, edition: Int)
        /// There is no file.
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

    /// Remembers that they were right.
    /// - Parameter edition: of the file that says so.
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
