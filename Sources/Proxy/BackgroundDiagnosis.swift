internal import Discovery
internal import EventLoop

/// Looks who listens here on a thread of its own, since that goes through every process's descriptors.
///
/// Belongs to its loop's thread, which hears the result.
final class BackgroundDiagnosis {
    private let results: Mailbox<[UInt8]>
    private var event: IOEvent?
    private var completions: [([UInt8]) -> Void] = []

    /// - Throws: ``SystemError`` when the process is out of descriptors.
    init(on loop: EventLoop) throws(SystemError) {
        results = try Mailbox()
        event = try results.open(on: loop) { [unowned self] in finish($0) }
    }

    /// Takes one look for all who ask until it is done.
    /// - Parameter completion: gets the ``DiagnosisReport`` as JSON.
    func start(_ completion: @escaping ([UInt8]) -> Void) {
        completions.append(completion)
        guard completions.count == 1 else { return }
        let results = results
        do throws(SystemError) {
            try Thread.start(named: "diagnosis") { results.post(Self.json) }
        } catch {
            // Late is better than never.
            finish(Self.json)
        }
    }

    private static var json: [UInt8] { (try? DiagnosisReport(.current()).json()) ?? [] }

    private func finish(_ json: [UInt8]) {
        let completions = completions
        self.completions = []
        for completion in completions { completion(json) }
    }
}
