internal import CLinux
internal import COpenSSL
internal import Network

/// The encrypted side of one TLS connection: what has been received and not been decrypted, and what is encrypted and
/// the kernel has not taken.
///
/// Knows sockets and bytes, and nothing of what they mean. Belongs to its channel.
final class TLSRecords {
    /// The end of the client's stream.
    enum End {
        case none
        /// With close_notify.
        case proper
        case failed(SocketFailure)
    }

    let workspace: TLSWorkspace
    /// The certificates and settings of the connection; nil before it begins.
    var context: TLSContext?
    /// The descriptor, for the time of a call.
    var socket: CInt = -1
    var end = End.none

    /// The bytes that have been received and not been decrypted, for the time of a call.
    private(set) var input = UnsafeRawBufferPointer(start: nil, count: 0)
    /// The bytes that have been received and not been decrypted, between two calls.
    private(set) var heldInput: PendingBytes?
    /// The bytes received since the client last said anything that is for the app.
    private var wordlessBytes = 0
    /// Has OpenSSL take from the kernel just what it needs next.
    var readsDirectly = false
    /// The kernel's state after the last receive, until somebody takes note of it.
    private var kernelNews: LayerReadiness.Event?
    /// The bytes that the kernel did not take.
    private(set) var heldOutput: PendingBytes?

    /// More than a few records, whatever they hold.
    private static let mostWordless = 4 * TLSWorkspace.recordSize

    init(in workspace: TLSWorkspace) {
        self.workspace = workspace
    }

    // MARK: Receiving

    /// Gives OpenSSL what it asks for, as far as it is there.
    func take(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        if input.isEmpty, readsDirectly { return takeDirectly(into: buffer) }
        let count = min(buffer.count, input.count)
        guard count > 0 else { return 0 }
        buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: input[..<count]))
        input = UnsafeRawBufferPointer(rebasing: input[count...])
        return count
    }

    private func takeDirectly(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard mayGoOnReceiving else { return 0 }
        switch receive(into: buffer) {
        case .moved(let count): return count
        case .wouldBlock: return 0
        case .endOfStream: end = .failed(.cutOff)
        case .failed(let failure): end = .failed(failure)
        }
        return 0
    }

    /// Takes what the kernel has into the worker's memory, for decrypting.
    func receive(upTo limit: Int) -> Socket.TransferResult {
        let buffer = UnsafeMutableRawBufferPointer(
            rebasing: workspace.input[..<min(max(limit, 1), workspace.input.count)])
        let result = receive(into: buffer)
        if case .moved(let count) = result { input = UnsafeRawBufferPointer(rebasing: buffer[..<count]) }
        return result
    }

    private func receive(into buffer: UnsafeMutableRawBufferPointer) -> Socket.TransferResult {
        let result = Socket.receive(into: buffer, from: socket)
        // Of several, the last one says how the kernel is left.
        kernelNews = LayerReadiness.Event(result, askedFor: buffer.count)
        if case .moved(let count) = result { wordlessBytes += count }
        return result
    }

    /// Takes the kernel's state after the receives since the last time.
    func takeKernelNews() -> LayerReadiness.Event? {
        defer { kernelNews = nil }
        return kernelNews
    }

    /// Whether the client may send more now.
    ///
    /// One that sends nothing but messages of TLS, such as wishes for new keys, could keep the worker busy in one
    /// receive for as long as it likes; that is taken for an attack.
    var mayGoOnReceiving: Bool {
        guard case .none = end else { return false }
        guard wordlessBytes > Self.mostWordless else { return true }
        end = .failed(.violation)
        return false
    }

    /// Notes that the client has said something for the app.
    func noteWords() { wordlessBytes = 0 }

    /// Goes on with what the last call has left.
    /// - Returns: what must be kept until ``holdInput()`` or ``dropInput()``.
    func resumeInput() -> PendingBytes? {
        if let heldInput { input = heldInput.remaining }
        return heldInput
    }

    /// Keeps what was not decrypted beyond the time of a call. Without memory for that, the stream has failed.
    func holdInput() {
        if input.isEmpty {
            heldInput = nil
        } else if let heldInput {
            heldInput.removeFirst(heldInput.remaining.count - input.count)
        } else {
            heldInput = PendingBytes(copying: input)
            if heldInput == nil { end = .failed(.outOfMemory) }
        }
        clearInput()
    }

    /// Puts what was kept before what has just been received.
    /// - Returns: false where there is no memory for that.
    func joinInput() -> Bool {
        guard let held = heldInput else { return true }
        guard let joined = PendingBytes(copying: held.remaining, input) else { return false }
        heldInput = joined
        input = joined.remaining
        return true
    }

    /// Notes that everything which was kept has been decrypted.
    func noteInputTaken() { heldInput = nil }

    /// Forgets what was received.
    func dropInput() {
        clearInput()
        heldInput = nil
    }

    private func clearInput() { input = UnsafeRawBufferPointer(start: nil, count: 0) }

    // MARK: Sending

    /// Gives the kernel what has just been written, behind what it has not taken before, and keeps the rest.
    /// - Returns: why that cannot be; nil where it can.
    func sendOutput() -> SocketFailure? {
        let count = workspace.outputCount
        guard count > 0 else { return nil }
        workspace.outputCount = 0
        let output = UnsafeRawBufferPointer(rebasing: workspace.output[..<count])
        if let held = heldOutput {
            guard hold(held.remaining, output) else { return .outOfMemory }
            return flush(to: socket)
        }
        switch Socket.send(output, to: socket) {
        case .moved(count): return nil
        case .moved(let sent):
            return hold(UnsafeRawBufferPointer(rebasing: output[sent...])) ? nil : .outOfMemory
        case .wouldBlock, .endOfStream: return hold(output) ? nil : .outOfMemory
        case .failed(let failure): return failure
        }
    }

    private func hold(
        _ bytes: UnsafeRawBufferPointer, _ rest: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
    ) -> Bool {
        guard let held = PendingBytes(copying: bytes, rest) else { return false }
        heldOutput = held
        return true
    }

    /// Gives the kernel what it has not taken before.
    func flush(to socket: CInt) -> SocketFailure? {
        guard let held = heldOutput else { return nil }
        switch Socket.send(held.remaining, to: socket) {
        case .moved(let sent):
            held.removeFirst(sent)
            if held.remaining.isEmpty { heldOutput = nil }
        case .wouldBlock, .endOfStream: break
        case .failed(let failure): return failure
        }
        return nil
    }

    /// The bytes that wait for the kernel.
    var unsentBytes: Int { heldOutput?.remaining.count ?? 0 }
}
