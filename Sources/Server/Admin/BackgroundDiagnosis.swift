internal import Discovery
internal import EventLoop

/// Makes a diagnosis of all listeners on a thread of its own, since that goes through every process's descriptors.
///
/// Belongs to its loop's thread, on which the result is delivered.
final class BackgroundDiagnosis {
    private let loop: EventLoop
    /// The mailbox in which the thread leaves its result, while there is a thread.
    private var result: (mailbox: Mailbox<[UInt8]>, event: IOEvent)?
    private var completions: [([UInt8]) -> Void] = []

    /// Starts nothing yet, and takes no descriptor.
    init(on loop: EventLoop) {
        self.loop = loop
    }

    /// Makes one diagnosis for all who ask until it is done.
    /// - Parameter completion: gets the ``DiagnosisReport`` as JSON.
    func start(_ completion: @escaping ([UInt8]) -> Void) {
        completions.append(completion)
        guard completions.count == 1 else { return }
        do throws(SystemError) {
            let mailbox = try Mailbox<[UInt8]>()
            // The event is in `result`, which ends with this, and so do its calls.
            result = (mailbox, try mailbox.open(on: loop) { [unowned self] in finish($0) })
            try Thread.start(named: "diagnosis") { mailbox.post(Self.json) }
        } catch {
            // Without a thread to spare, the control thread does it: a late response is better than none.
            finish(Self.json)
        }
    }

    private static var json: [UInt8] { (try? DiagnosisReport(.current()).json()) ?? [] }

    private func finish(_ json: [UInt8]) {
        result = nil
        let completions = completions
        self.completions = []
        for completion in completions { completion(json) }
    }
}
