public import EventLoop
internal import Network

/// The room that all datagram relays of one worker share: for what is received, and for what is to be sent.
///
/// Answers of all flows that are ready in one turn of the loop leave in one call at its end. Belongs to its loop's thread.
public final class DatagramWorkspace {
    let loop: EventLoop
    let batch = DatagramBatch()
    let outgoing = OutgoingDatagrams()
    /// The relay whose answers are in the batch.
    private var answering: DatagramRelay?
    private var atEndOfTurn: DeferredCall?

    /// - Throws: ``SystemError`` when there is no memory.
    public init(on loop: EventLoop) throws(SystemError) {
        self.loop = loop
        // The call is the workspace's own, and goes with it.
        atEndOfTurn = try DeferredCall(on: loop) { [unowned self] in flush() }
    }

    /// Makes room for answers that one relay is to send; the others' are sent before.
    func makeRoom(for relay: DatagramRelay) {
        if answering !== relay || batch.room == 0 { flush() }
    }

    /// Has the relay's answers sent at the end of the turn.
    func answers(of relay: DatagramRelay) {
        answering = relay
        atEndOfTurn?.schedule()
    }

    /// Sends the answers that are waiting; the batch is empty then.
    func flush() {
        answering?.sendAnswers()
        answering = nil
        batch.clear()
    }
}
