/// The right to one connection to the app. It falls back to its ``AdmissionQueue`` when the last who has it lets go, on
/// whatever thread: it can neither be given back twice nor be forgotten.
public final class AdmissionPermit: Sendable {
    private let queue: AdmissionQueue

    init(in queue: AdmissionQueue) {
        self.queue = queue
    }

    deinit {
        queue.permitReturned()
    }
}
