package import EventLoop
package import HTTP1
package import Passwords
internal import Synchronization

/// Checks passwords on a thread of its own, one for the whole process: a hash takes up to some hundred milliseconds by design, which
/// no event loop can wait.
///
/// Questions are answered in order. Callable from every thread.
package final class PasswordThread: Sendable {
    /// A question whether a password is right. It is not answered once it is withdrawn.
    package final class Question: Sendable {
        package let credentials: BasicCredentials
        /// The number by which the worker finds the request that asks.
        package let ticket: UInt64
        fileprivate let file: PasswordFile
        fileprivate let answer: @Sendable (Bool) -> Void
        private let isWithdrawn = Atomic(false)

        /// - Parameter answer: called on the password thread, unless the question is withdrawn in time.
        package init(
            _ credentials: BasicCredentials, in file: PasswordFile, ticket: UInt64,
            answer: @escaping @Sendable (Bool) -> Void
        ) {
            self.credentials = credentials
            self.ticket = ticket
            self.file = file
            self.answer = answer
        }

        package func withdraw() { isWithdrawn.store(true, ordering: .relaxed) }

        fileprivate var isWanted: Bool { !isWithdrawn.load(ordering: .relaxed) }
    }

    /// The number of questions that may wait: as many as are answered in some seconds.
    static let longestQueue = 64

    private let questions: Mailbox<Question>
    private let waiting = Atomic(0)
    private let isStarted = Guarded(false)

    /// Makes a thread that starts with the first question.
    /// - Throws: ``SystemError`` when the process is out of descriptors.
    package init() throws(SystemError) {
        questions = try Mailbox()
    }

    /// Puts a question in line.
    /// - Returns: false where too many wait already, or the system has no thread to spare.
    package func ask(_ question: Question) -> Bool {
        guard start() else { return false }
        guard waiting.add(1, ordering: .relaxed).newValue <= Self.longestQueue else {
            waiting.subtract(1, ordering: .relaxed)
            return false
        }
        questions.post(question)
        return true
    }

    private func start() -> Bool {
        isStarted.withLock { isStarted in
            guard !isStarted else { return true }
            do {
                try Thread.start(named: "passwords") { [self] in run() }
                isStarted = true
            } catch {
                return false
            }
            return true
        }
    }

    private func run() {
        while true {
            do {
                let loop = try EventLoop()
                let event = try questions.open(on: loop) { [self] in answer($0) }
                loop.run()
                withExtendedLifetime(event) {}
            } catch {
                // Questions wait, and memory or a descriptor will be free again.
                Thread.pause(for: .milliseconds(100))
            }
        }
    }

    private func answer(_ question: Question) {
        defer { waiting.subtract(1, ordering: .relaxed) }
        guard question.isWanted else { return }
        question.answer(question.file.isRight(question.credentials.password, of: question.credentials.user))
    }
}
