internal import Access
internal import EventLoop
internal import HTTP1
internal import Passwords

/// Keeps a worker's requests that wait for the password thread, each with a ticket, and none for longer than ``longestWait``.
///
/// Belongs to the worker's thread.
final class PasswordDesk {
    /// The outcome of a question.
    enum Verdict: Equatable {
        case right
        case wrong
        /// The password thread has not answered in time.
        case tooLate
    }

    /// The time after which a request waits no longer. A full queue takes less with hashes of usual cost.
    static let longestWait = Duration.seconds(30)

    fileprivate struct Visitor {
        let question: PasswordThread.Question
        let since: MonotonicTime
        let completion: (Verdict) -> Void
    }

    private var visitors: [UInt64: Visitor] = [:]
    private var lastTicket: UInt64 = 0
    private let wait: Duration
    private var deadline: Deadline?
    private let reply: @Sendable (_ ticket: UInt64, _ isRight: Bool) -> Void

    /// - Parameters:
    ///   - wait: how long a request waits.
    ///   - reply: called on the password thread; has ``receive(_:isRight:)`` called on the worker's.
    init(
        on loop: EventLoop, wait: Duration = longestWait,
        reply: @escaping @Sendable (_ ticket: UInt64, _ isRight: Bool) -> Void
    ) throws(SystemError) {
        self.wait = wait
        self.reply = reply
        // The desk owns its deadline, and no other owner is there.
        deadline = try Deadline(on: loop) { [unowned self] in endWaits($0) }
    }

    /// The number of requests that wait.
    var waiting: Int { visitors.count }

    /// Asks whether a password is right.
    /// - Parameter completion: called once, in a later turn of the loop, unless the ticket has gone before.
    /// - Returns: to be kept for as long as somebody wants to know; nil where too many questions wait already, or the system has no
    ///   thread for them.
    func ask(
        _ thread: PasswordThread?, whether credentials: BasicCredentials, areRightBy file: PasswordFile,
        completion: @escaping (Verdict) -> Void
    ) -> PasswordTicket? {
        lastTicket += 1
        let (number, reply) = (lastTicket, reply)
        let question = PasswordThread.Question(credentials, in: file, ticket: number) { reply(number, $0) }
        guard let thread, thread.ask(question) else { return nil }
        visitors[number] = Visitor(question: question, since: .coarse, completion: completion)
        if deadline?.isScheduled == false { deadline?.schedule(after: wait) }
        return PasswordTicket(number, at: self)
    }

    /// Passes the password thread's answer on to the request.
    func receive(_ ticket: UInt64, isRight: Bool) {
        visitors.removeValue(forKey: ticket)?.completion(isRight ? .right : .wrong)
    }

    /// Withdraws a question whose answer nobody waits for any more.
    fileprivate func withdraw(_ ticket: UInt64) {
        visitors.removeValue(forKey: ticket)?.question.withdraw()
    }

    private func endWaits(_ hearing: Hearing) {
        let late = visitors.filter { hearing.silence(since: $0.value.since) >= wait }
        // Told in the order in which they came.
        for ticket in late.keys.sorted() {
            guard let visitor = visitors.removeValue(forKey: ticket) else { continue }
            visitor.question.withdraw()
            visitor.completion(.tooLate)
        }
        guard let longest = visitors.values.map({ hearing.silence(since: $0.since) }).max() else { return }
        deadline?.schedule(after: max(wait - longest, .milliseconds(10)))
    }
}

/// A request's turn with the password thread. Letting go of the ticket withdraws the question.
final class PasswordTicket {
    private let number: UInt64
    private let desk: PasswordDesk

    fileprivate init(_ number: UInt64, at desk: PasswordDesk) {
        self.number = number
        self.desk = desk
    }

    deinit { desk.withdraw(number) }
}
