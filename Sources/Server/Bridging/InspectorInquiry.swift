internal import Discovery
internal import EventLoop
internal import Network

/// Asks listeners whether they are inspectors, each on a thread of its own: an answer may take half a second.
///
/// Belongs to its loop's thread, on which the answers are delivered.
final class InspectorInquiry {
    private let loop: EventLoop
    private var pending: [Int: (mailbox: Mailbox<Bool>, event: IOEvent)] = [:]
    private var asked = 0

    init(on loop: EventLoop) {
        self.loop = loop
    }

    /// Asks the listener at an address.
    /// - Parameter completion: called in a later turn of the loop, unless this has gone before.
    func ask(_ address: SocketAddress, completion: @escaping (Bool) -> Void) {
        asked += 1
        let number = asked
        do throws(SystemError) {
            let mailbox = try Mailbox<Bool>()
            // The event is in `pending`, which ends with this, and so do its calls.
            let event = try mailbox.open(on: loop) { [unowned self] isInspector in
                pending[number] = nil
                completion(isInspector)
            }
            pending[number] = (mailbox, event)
            try Thread.start(named: "inspector?") { mailbox.post(InspectorQuestion.isInspector(at: address)) }
        } catch {
            pending[number] = nil
            // Without descriptors or threads to spare nothing can be asked, and a listener that may be an inspector counts as one.
            loop.onNextTurn { [weak self] in
                if self != nil { completion(true) }
            }
        }
    }
}
