internal import COpenSSL
internal import Glibc
public import Network

/// The server's end of one TLS connection, between a ``Socket`` and the kernel.
///
/// Bytes pass as they are until ``handshake(on:with:)`` is first called. Memory for the connection is taken when the client
/// has said something. It owns OpenSSL's state of the connection, and the ``TLSRecords`` that this reads and writes.
/// Belongs to its worker's thread.
public final class TLSChannel: SocketLayer {
    enum State {
        /// Nothing is encrypted yet.
        case plain
        case handshaking(OpaquePointer)
        case open(OpaquePointer)
        /// Nothing can be sent any more, or received but what is in the records' end.
        case failed
    }

    /// The progress of a handshake.
    public enum Handshake: Sendable {
        case waiting
        case done
        case failed(HandshakeFault)
    }

    let records: TLSRecords
    var state = State.plain
    /// The client's, found out at the end of the handshake; nil where it has shown none.
    var clientCertificate: TLSDetails.ClientCertificate?
    private var hasFinishedSending = false
    private var hasShutDown = false

    public init(in workspace: TLSWorkspace) {
        records = TLSRecords(in: workspace)
    }

    deinit { free() }

    private func free() {
        switch state {
        case .handshaking(let connection), .open(let connection): SSL_free(connection)
        case .plain, .failed: break
        }
    }

    /// Nothing more is said or heard.
    func fail(_ failure: SocketFailure) {
        free()
        state = .failed
        records.dropInput()
        records.end = .failed(failure)
        readiness.note(.ended)
    }

    // MARK: Receiving

    /// Takes what the kernel has, for decrypting.
    func receive(upTo limit: Int) -> Socket.TransferResult {
        let result = records.receive(upTo: limit)
        noteKernelNews()
        return result
    }

    private func noteKernelNews() {
        if let news = records.takeKernelNews() { readiness.note(news) }
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
        guard case .none = records.end else { return readiness.note(.ended) }
        readiness.note(records.heldInput != nil || SSL_pending(connection) > 0 ? .kept : .keptNothing)
    }

    public override func receive(into buffer: UnsafeMutableRawBufferPointer, peek: Bool, from socket: CInt)
        -> Socket.TransferResult
    {
        records.socket = socket
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
        let held = records.resumeInput()
        while true {
            while filled < buffer.count, !records.input.isEmpty || SSL_pending(connection) > 0 {
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
                records.noteWords()
                break
            }
            guard records.mayGoOnReceiving else { break }
            records.noteInputTaken()
            switch receive(upTo: buffer.count) {
            case .moved: continue
            case .wouldBlock: break
            case .endOfStream: records.end = .failed(.cutOff)
            case .failed(let failure): records.end = .failed(failure)
            }
            break
        }
        withExtendedLifetime(held) {
            if case .none = records.end { records.holdInput() } else { records.dropInput() }
        }
        // An answer to the peer's wish for new keys, or an alert; whoever sends next finds an error.
        if records.workspace.outputCount > 0 { sendAnswers() }
        noteWhatIsLeft(connection)
        return filled > 0 ? .moved(filled) : told
    }

    /// Leaves the bytes where they are, and takes no more from the kernel than their record.
    private func look(_ buffer: UnsafeMutableRawBufferPointer, _ connection: OpaquePointer) -> Socket.TransferResult {
        let held = records.resumeInput()
        records.readsDirectly = true
        defer { records.readsDirectly = false }
        let count = SSL_peek(connection, buffer.baseAddress, CInt(min(buffer.count, Int(CInt.max))))
        noteKernelNews()
        if count > 0 { records.noteWords() } else { noteReadFailure(connection, count) }
        withExtendedLifetime(held) { records.holdInput() }
        if records.workspace.outputCount > 0 { sendAnswers() }
        noteWhatIsLeft(connection)
        return count > 0 ? .moved(Int(count)) : told
    }

    private func noteReadFailure(_ connection: OpaquePointer, _ result: CInt) {
        switch SSL_get_error(connection, result) {
        // Only the end of what was received.
        case SSL_ERROR_WANT_READ: break
        case SSL_ERROR_ZERO_RETURN: records.end = .proper
        default: records.end = .failed(TLSLibrary.takeFailure().failure)
        }
    }

    /// The outcome of a receive where no bytes are left.
    private var told: Socket.TransferResult {
        switch records.end {
        case .none: .wouldBlock
        case .proper: .endOfStream
        case .failed(let failure): .failed(failure)
        }
    }

    /// A peer that keeps asking for answers and takes none is not served.
    private func sendAnswers() {
        // Behind our end there is nothing to be said, and the client goes on with its old keys.
        if hasFinishedSending {
            records.workspace.outputCount = 0
            return
        }
        if let failure = records.sendOutput() {
            records.end = .failed(failure)
        } else if unsentBytes > Self.mostUnsent {
            records.end = .failed(.violation)
        }
    }

    private static let mostUnsent = 4 * TLSWorkspace.outputPiece

    // MARK: Sending

    public override var unsentBytes: Int { records.unsentBytes }

    public override func send(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer, to socket: CInt)
        -> Socket.TransferResult
    {
        records.socket = socket
        switch state {
        case .plain: return Socket.send(first, second, to: socket)
        case .handshaking: return .wouldBlock
        case .failed: return .failed(.violation)
        case .open(let connection):
            if hasFinishedSending { return .failed(.system(EPIPE)) }
            if let failure = flush(to: socket) { return .failed(failure) }
            if unsentBytes > 0 { return .wouldBlock }
            if second.isEmpty { return encrypt(first, connection) }
            if first.isEmpty { return encrypt(second, connection) }
            if first.count + second.count <= TLSWorkspace.recordSize { return encrypt(join(first, second), connection) }
            // The first piece is a head as a rule, and smaller than a record.
            return encrypt(first, second, connection)
        }
    }

    private func join(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        let joined = records.workspace.joined
        joined.copyMemory(from: first)
        UnsafeMutableRawBufferPointer(rebasing: joined[first.count...]).copyMemory(from: second)
        return UnsafeRawBufferPointer(rebasing: joined[..<(first.count + second.count)])
    }

    private func encrypt(
        _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer, _ connection: OpaquePointer
    ) -> Socket.TransferResult {
        switch encrypt(first, connection) {
        case .moved(let count):
            guard count == first.count, unsentBytes == 0 else { return .moved(count) }
            return switch encrypt(second, connection) {
            case .moved(let more): .moved(count + more)
            case .wouldBlock, .endOfStream: .moved(count)
            case .failed(let failure): .failed(failure)
            }
        case let other: return other
        }
    }

    /// Encrypts and sends until everything is taken or the kernel takes no more.
    private func encrypt(_ bytes: UnsafeRawBufferPointer, _ connection: OpaquePointer) -> Socket.TransferResult {
        var taken = 0
        while taken < bytes.count, unsentBytes == 0 {
            let piece = min(bytes.count - taken, TLSWorkspace.outputPiece)
            let count = SSL_write(connection, bytes.baseAddress! + taken, CInt(piece))
            guard count > 0 else {
                records.workspace.outputCount = 0
                return breakOff(TLSLibrary.takeFailure().failure)
            }
            taken += Int(count)
            if let failure = records.sendOutput() {
                return failure == .outOfMemory ? breakOff(failure) : .failed(failure)
            }
        }
        return .moved(taken)
    }

    /// Ends the channel: the client's bytes are not whole, and must not be followed by an end that says that they are.
    private func breakOff(_ failure: SocketFailure) -> Socket.TransferResult {
        fail(failure)
        return .failed(failure)
    }

    public override func flush(to socket: CInt) -> SocketFailure? {
        guard unsentBytes > 0 else { return nil }
        if let failure = records.flush(to: socket) { return failure }
        if unsentBytes == 0, hasFinishedSending { shutDown(socket) }
        return nil
    }

    // MARK: Ends

    public override func finishSending(on socket: CInt) -> Bool {
        records.socket = socket
        switch state {
        case .plain: return shutDown(socket)
        case .handshaking, .failed: return false
        case .open(let connection):
            guard !hasFinishedSending else { return true }
            hasFinishedSending = true
            guard sayGoodbye(connection) == nil else { return false }
            return unsentBytes > 0 || shutDown(socket)
        }
    }

    public override func breakOffSending(on socket: CInt) {
        guard case .open = state, !hasFinishedSending else { return }
        hasFinishedSending = true
        if unsentBytes == 0 { shutDown(socket) }
    }

    private func sayGoodbye(_ connection: OpaquePointer) -> SocketFailure? {
        if SSL_shutdown(connection) < 0 { _ = TLSLibrary.takeFailure() }
        return records.sendOutput()
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
        if case .failed = records.end { return }
        guard case .open(let connection) = state, !endsWithReset, !hasFinishedSending, unsentBytes == 0 else { return }
        hasFinishedSending = true
        records.socket = socket
        _ = sayGoodbye(connection)
    }
}
