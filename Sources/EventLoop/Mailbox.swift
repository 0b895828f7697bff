/// Messages from other threads to a loop: anybody posts, and the loop's thread receives in the order of posting.
///
/// ```swift
/// let mailbox = try Mailbox<Command>()          // on any thread
/// try mailbox.open(on: loop) { command in … }   // on the loop's thread; keep what it returns
/// mailbox.post(.drain)                          // from anywhere, also before it is opened
/// ```
public final class Mailbox<Message: Sendable>: Sendable {
    private let messages = Guarded<[Message]>([])
    private let wakeUp: WakeUp

    /// Makes a mailbox that keeps what is posted until it is opened.
    /// - Throws: ``SystemError`` when the process is out of descriptors.
    public init() throws(SystemError) {
        wakeUp = try WakeUp()
    }

    /// Leaves a message for the loop's thread. Callable from every thread; never waits for the receiver.
    public func post(_ message: Message) {
        let wasEmpty = messages.withLock { messages in
            messages.append(message)
            return messages.count == 1
        }
        // Whoever finds the box empty wakes the loop; the others' messages go with that same wake-up.
        if wasEmpty { wakeUp.send() }
    }

    /// Receives on the loop's thread for as long as the returned event lives.
    /// - Throws: ``SystemError`` when the kernel refuses to watch the mailbox.
    public func open(
        on loop: EventLoop, handler: @escaping (Message) -> Void
    ) throws(SystemError) -> IOEvent {
        // Each ring is an edge of its own, so that nothing need be read for the next one to be told.
        try IOEvent(wakeUp.number, on: loop, for: .readable, trigger: .edge) { [self] _ in
            let received = messages.withLock { messages in
                let received = messages
                messages = []
                return received
            }
            for message in received { handler(message) }
        }
    }
}
