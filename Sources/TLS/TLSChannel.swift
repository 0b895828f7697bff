internal import COpenSSL
internal import Glibc
public import Network

/// The server's end of one TLS connection, between a ``Socket`` and the kernel.
///
/// Bytes pass as they are until ``handshake(on:with:)`` is first called. Memory for the connection is taken when the client
/// has said something. Belongs to its worker's thread.
public final class TLSChannel: SocketLayer {
    enum State {
        /// Nothing is encrypted yet.
        case plain
        case handshaking(OpaquePointer)
        case open(OpaquePointer)
        /// Nothing can be sent any more, or received but what is in `end`.
        case failed
    }

    /// How the client's stream has ended.
    enum InputEnd {
        case none
        /// With close_notify.
        case proper
        /// With this errno.
        case failed(CInt)
    }

    /// How a handshake stands.
    public enum Handshake: Sendable {
        case waiting
        case done
        case failed(HandshakeFault)
    }

    let workspace: TLSWorkspace
    var state = State.plain
    /// What the connection goes by; nil before it begins.
    var context: TLSContext?
    /// The client's, found out at the end of the handshake; nil where it has shown none.
    var clientCertificate: TLSDetails.ClientCertificate?
    private(set) var inputEnd = InputEnd.none
    /// What has been received and not been decrypted, for the time of a call.
    var input = UnsafeRawBufferPointer(start: nil, count: 0)
    /// The same between two calls.
    var heldInput: HeldBytes?
    /// How much has been received since the client last said anything that is for the app.
    var wordlessBytes = 0
    /// OpenSSL takes from the kernel just what it needs next.
    private var reads: ReadMode = .received
    /// The descriptor, for the time of a call.
    var socket: CInt = -1
    var heldOutput: HeldBytes?
    private var hasFinishedSending = false
    private var hasShutDown = false

    private enum ReadMode {
        case received
        case directly
    }

    public init(in workspace: TLSWorkspace) {
        self.workspace = workspace
    }

    deinit {
        switch state {
        case .handshaking(let connection), .open(let connection): SSL_free(connection)
        case .plain, .failed: break
        }
    }

    // MARK: OpenSSL's side

    /// Whose connection OpenSSL is asking about.
    static func channel(of connection: OpaquePointer) -> TLSChannel? {
        SSL_get_ex_data(connection, 0).map { Unmanaged<TLSChannel>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Gives OpenSSL what it asks for, as far as it is there.
    func take(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        if input.isEmpty, case .directly = reads { return takeDirectly(into: buffer) }
        let count = min(buffer.count, input.count)
        guard count > 0 else { return 0 }
        buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: input[..<count]))
        input = UnsafeRawBufferPointer(rebasing: input[count...])
        return count
    }

    private func takeDirectly(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard mayGoOnReceiving else { return 0 }
        let result = Socket.receive(into: buffer, from: socket)
        readiness.note(LayerReadiness.Event(result, askedFor: buffer.count))
        switch result {
        case .moved(let count):
            wordlessBytes += count
            return count
        case .wouldBlock: break
        case .endOfStream: inputEnd = .failed(Self.cutOff)
        case .failed(let code): inputEnd = .failed(code)
        }
        return 0
    }

    /// Nothing more is said or heard.
    func fail(_ code: CInt) {
        switch state {
        case .handshaking(let connection), .open(let connection): SSL_free(connection)
        case .plain, .failed: break
        }
        state = .failed
        heldInput = nil
        input = UnsafeRawBufferPointer(start: nil, count: 0)
        inputEnd = .failed(code)
        readiness.note(.ended)
    }

    // MARK: Receiving

    /// Takes what the kernel has, into the worker's memory, for decrypting.
    func receive(upTo limit: Int) -> Socket.TransferResult {
        let buffer = UnsafeMutableRawBufferPointer(
            rebasing: workspace.input[..<min(max(limit, 1), workspace.input.count)])
        let result = Socket.receive(into: buffer, from: socket)
        readiness.note(LayerReadiness.Event(result, askedFor: buffer.count))
        if case .moved(let count) = result {
            input = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            wordlessBytes += count
        }
        return result
    }

    /// Who sends nothing but messages of TLS, such as wishes for new keys, could keep the worker busy in one receive for as long
    /// as it likes; so that is taken for an attack.
    private var mayGoOnReceiving: Bool {
        guard case .none = inputEnd else { return false }
        guard wordlessBytes > Self.mostWordless else { return true }
        inputEnd = .failed(Self.violation)
        return false
    }

    /// More than a few records, whatever they hold.
    private static let mostWordless = 4 * TLSWorkspace.recordSize

    /// What was not decrypted must outlive the worker's memory.
    func holdInput() {
        if input.isEmpty {
            heldInput = nil
        } else if let held = heldInput {
            held.removeFirst(held.remaining.count - input.count)
        } else {
            heldInput = HeldBytes(copying: input)
        }
        input = UnsafeRawBufferPointer(start: nil, count: 0)
    }

    /// Before TLS is agreed on, nobody reads but who waits for the kernel's word.
    public override var mayHaveMore: Bool {
        switch state {
        case .plain, .handshaking: false
        case .open, .failed: readiness.mayHaveMore
        }
    }

    /// Notes what only the channel knows of, for whoever reads next.
    func noteWhatIsLeft(_ connection: OpaquePointer) {
        guard case .none = inputEnd else { return readiness.note(.ended) }
        readiness.note(heldInput != nil || SSL_pending(connection) > 0 ? .kept : .keptNothing)
    }

    public override func receive(into buffer: UnsafeMutableRawBufferPointer, peek: Bool, from socket: CInt)
        -> Socket.TransferResult
    {
        self.socket = socket
        switch state {
        case .plain: return Socket.receive(into: buffer, peek: peek, from: socket)
        case .handshaking: return .wouldBlock
        case .failed: return told
        case .open(let connection): return peek ? look(buffer, connection) : decrypt(into: buffer, connection)
        }
    }

    private func decrypt(into buffer: UnsafeMutableRawBufferPointer, _ connection: OpaquePointer)
        -> Socket.TransferResult
    {
        var filled = 0
        let held = heldInput
        if let held { input = held.remaining }
        while true {
            while filled < buffer.count, !input.isEmpty || SSL_pending(connection) > 0 {
                let space = min(buffer.count - filled, Int(CInt.max))
                let count = SSL_read(connection, buffer.baseAddress! + filled, CInt(space))
                if count > 0 {
                    filled += Int(count)
                } else {
                    noteReadFailure(connection, count)
                    break
                }
            }
            if filled > 0 {
                wordlessBytes = 0
                break
            }
            guard mayGoOnReceiving else { break }
            heldInput = nil
            switch receive(upTo: buffer.count) {
            case .moved: continue
            case .wouldBlock: break
            case .endOfStream: inputEnd = .failed(Self.cutOff)
            case .failed(let code): inputEnd = .failed(code)
            }
            break
        }
        withExtendedLifetime(held) {
            if case .none = inputEnd { holdInput() } else { dropInput() }
        }
        // An answer to the peer's wish for new keys, or an alert; whoever sends next finds an error.
        if workspace.outputCount > 0 { sendAnswers() }
        noteWhatIsLeft(connection)
        return filled > 0 ? .moved(filled) : told
    }

    /// Leaves the bytes where they are, and takes no more from the kernel than their record.
    private func look(_ buffer: UnsafeMutableRawBufferPointer, _ connection: OpaquePointer) -> Socket.TransferResult {
        let held = heldInput
        if let held { input = held.remaining }
        reads = .directly
        defer { reads = .received }
        let count = SSL_peek(connection, buffer.baseAddress, CInt(min(buffer.count, Int(CInt.max))))
        if count > 0 { wordlessBytes = 0 } else { noteReadFailure(connection, count) }
        withExtendedLifetime(held) { holdInput() }
        if workspace.outputCount > 0 { sendAnswers() }
        noteWhatIsLeft(connection)
        return count > 0 ? .moved(Int(count)) : told
    }

    private func noteReadFailure(_ connection: OpaquePointer, _ result: CInt) {
        switch SSL_get_error(connection, result) {
        // Only the end of what was received.
        case SSL_ERROR_WANT_READ: break
        case SSL_ERROR_ZERO_RETURN: inputEnd = .proper
        default: inputEnd = .failed(TLSLibrary.takeFailure().code)
        }
    }

    private func dropInput() {
        input = UnsafeRawBufferPointer(start: nil, count: 0)
        heldInput = nil
    }

    /// What there is to say where no bytes are left.
    private var told: Socket.TransferResult {
        switch inputEnd {
        case .none: .wouldBlock
        case .proper: .endOfStream
        case .failed(let code): .failed(code)
        }
    }

    /// A peer that keeps asking for answers and takes none is not served.
    private func sendAnswers() {
        // Behind our end there is nothing to be said, and the client goes on with its old keys.
        if hasFinishedSending {
            workspace.outputCount = 0
            return
        }
        let error = sendOutput()
        if error != 0 || unsentBytes > Self.mostUnsent { inputEnd = .failed(error == 0 ? Self.violation : error) }
    }

    private static let mostUnsent = 4 * TLSWorkspace.outputPiece

    // MARK: Sending

    public override var unsentBytes: Int { heldOutput?.remaining.count ?? 0 }

    public override func send(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer, to socket: CInt)
        -> Socket.TransferResult
    {
        self.socket = socket
        switch state {
        case .plain: return Socket.send(first, second, to: socket)
        case .handshaking: return .wouldBlock
        case .failed: return .failed(Self.violation)
        case .open(let connection):
            if hasFinishedSending { return .failed(EPIPE) }
            let error = flush(to: socket)
            if error != 0 { return .failed(error) }
            if heldOutput != nil { return .wouldBlock }
            if second.isEmpty { return encrypt(first, connection) }
            if first.isEmpty { return encrypt(second, connection) }
            if first.count + second.count <= TLSWorkspace.recordSize { return encrypt(join(first, second), connection) }
            // The first piece is a head as a rule, and smaller than a record.
            return encrypt(first, second, connection)
        }
    }

    public override func flush(to socket: CInt) -> CInt {
        guard let held = heldOutput else { return 0 }
        switch Socket.send(held.remaining, to: socket) {
        case .moved(let sent):
            held.removeFirst(sent)
            guard held.remaining.isEmpty else { return 0 }
            heldOutput = nil
            if hasFinishedSending { shutDown(socket) }
        case .wouldBlock, .endOfStream: break
        case .failed(let code): return code
        }
        return 0
    }

    // MARK: Ends

    public override func finishSending(on socket: CInt) -> Bool {
        self.socket = socket
        switch state {
        case .plain: return shutDown(socket)
        case .handshaking, .failed: return false
        case .open(let connection):
            guard !hasFinishedSending else { return true }
            hasFinishedSending = true
            guard sayGoodbye(connection) == 0 else { return false }
            return heldOutput != nil || shutDown(socket)
        }
    }

    public override func breakOffSending(on socket: CInt) {
        guard case .open = state, !hasFinishedSending else { return }
        hasFinishedSending = true
        if heldOutput == nil { shutDown(socket) }
    }

    private func sayGoodbye(_ connection: OpaquePointer) -> CInt {
        if SSL_shutdown(connection) < 0 { _ = TLSLibrary.takeFailure() }
        return sendOutput()
    }

    /// Some clients look for TCP's end alone.
    @discardableResult
    private func shutDown(_ socket: CInt) -> Bool {
        guard !hasShutDown else { return true }
        hasShutDown = true
        return Socket.finishSending(on: socket)
    }

    public override func willClose(_ socket: CInt) {
        // Where the client's stream has broken off, ours is not known to be whole either.
        if case .failed = inputEnd { return }
        guard case .open(let connection) = state, !endsWithReset, !hasFinishedSending, heldOutput == nil else { return }
        hasFinishedSending = true
        self.socket = socket
        _ = sayGoodbye(connection)
    }
}
