internal import COpenSSL
internal import Glibc
public import Network

/// The server's end of one TLS connection, between a ``Socket`` and the kernel.
///
/// Bytes pass as they are until ``handshake(on:with:)`` is first called. Memory for the connection is taken when the client
/// has said something. Belongs to its worker's thread.
public final class TLSChannel: SocketLayer {
    private enum State {
        /// Nothing is encrypted yet.
        case plain
        case handshaking(OpaquePointer)
        case open(OpaquePointer)
        /// Nothing can be sent any more, or received but what is in `end`.
        case failed
    }

    /// How the client's stream has ended.
    private enum InputEnd {
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

    private let workspace: TLSWorkspace
    private var state = State.plain
    /// What the connection goes by; nil before it begins.
    private(set) var context: TLSContext?
    private var inputEnd = InputEnd.none
    /// What has been received and not been decrypted, for the time of a call.
    private var input = UnsafeRawBufferPointer(start: nil, count: 0)
    /// The same between two calls.
    private var heldInput: HeldBytes?
    /// The kernel may have more than the last receive has brought.
    private var kernelMayHaveMore = false
    /// How much has been received since the client last said anything that is for the app.
    private var wordlessBytes = 0
    /// OpenSSL takes from the kernel just what it needs next.
    private var reads: ReadMode = .received
    /// The descriptor, for the time of a call.
    private var socket: CInt = -1
    private var heldOutput: HeldBytes?
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

    /// How OpenSSL reads and writes: from what was received and to what is sent together (BIO_meth_new(3)).
    nonisolated(unsafe) private static let method: OpaquePointer = {
        let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "worker's memory")!
        BIO_meth_set_create(method) { bio in
            BIO_set_init(bio, 1)
            return 1
        }
        BIO_meth_set_read(method) { bio, bytes, count in
            guard let bio, let bytes, count > 0, let context = BIO_get_data(bio) else { return -1 }
            copenssl_clear_retry(bio)
            let channel = Unmanaged<TLSChannel>.fromOpaque(context).takeUnretainedValue()
            let taken = channel.take(into: UnsafeMutableRawBufferPointer(start: bytes, count: Int(count)))
            if taken == 0 {
                copenssl_retry_read(bio)
                return -1
            }
            return CInt(taken)
        }
        BIO_meth_set_write(method) { bio, bytes, count in
            guard let bio, let bytes, count > 0, let context = BIO_get_data(bio) else { return -1 }
            Unmanaged<TLSChannel>.fromOpaque(context).takeUnretainedValue().workspace.append(
                UnsafeRawBufferPointer(start: bytes, count: Int(count)))
            return count
        }
        BIO_meth_set_ctrl(method) { _, command, _, _ in
            command == BIO_CTRL_FLUSH ? 1 : 0
        }
        return method
    }()

    private func take(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        if input.isEmpty, case .directly = reads { return takeDirectly(into: buffer) }
        let count = min(buffer.count, input.count)
        guard count > 0 else { return 0 }
        buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: input[..<count]))
        input = UnsafeRawBufferPointer(rebasing: input[count...])
        return count
    }

    private func takeDirectly(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard mayGoOnReceiving else { return 0 }
        switch Socket.receive(into: buffer, from: socket) {
        case .moved(let count):
            kernelMayHaveMore = true
            wordlessBytes += count
            return count
        case .wouldBlock: kernelMayHaveMore = false
        case .endOfStream: inputEnd = .failed(Self.cutOff)
        case .failed(let code): inputEnd = .failed(code)
        }
        return 0
    }

    /// Opens the connection's state; the first time that the client is listened to.
    private func begin(_ context: TLSContext) -> OpaquePointer {
        guard let connection = SSL_new(context.first), let bio = BIO_new(Self.method) else {
            fatalError("out of memory")
        }
        self.context = context
        let own = Unmanaged.passUnretained(self).toOpaque()
        BIO_set_data(bio, own)
        SSL_set_bio(connection, bio, bio)
        SSL_set_ex_data(connection, 0, own)
        SSL_set_accept_state(connection)
        state = .handshaking(connection)
        return connection
    }

    private func fail(_ code: CInt) {
        switch state {
        case .handshaking(let connection), .open(let connection): SSL_free(connection)
        case .plain, .failed: break
        }
        state = .failed
        heldInput = nil
        input = UnsafeRawBufferPointer(start: nil, count: 0)
        inputEnd = .failed(code)
    }

    // MARK: The handshake

    /// Goes on with the handshake as far as what the client has said allows.
    /// - Parameter context: what it goes by; taken once the client's first record is there.
    public func handshake(on socket: borrowing Socket, with context: @autoclosure () -> TLSContext?) -> Handshake {
        self.socket = socket.number
        while true {
            if case .open = state { return .done }
            if case .failed = state { return .failed(.broken(Self.violation)) }
            switch receive(upTo: 4 * TLSWorkspace.recordSize) {
            case .moved: break
            case .wouldBlock: return .waiting
            case .endOfStream: return .failed(.clientLeft)
            case .failed(let code): return .failed(.broken(code))
            }
            let connection: OpaquePointer
            if case .handshaking(let known) = state {
                connection = known
            } else {
                guard firstRecordIsWhole() else {
                    if kernelMayHaveMore { continue }
                    return .waiting
                }
                guard let context = context() else { return .failed(.refused("there is no certificate")) }
                connection = begin(context)
            }
            let result = SSL_do_handshake(connection)
            if result == 1 {
                state = .open(connection)
                wordlessBytes = 0
                // What was tried in vain on the way is not to be taken for a later call's failure (SSL_get_error(3)).
                ERR_clear_error()
                holdInput()
                _ = sendOutput()
                return .done
            }
            if SSL_get_error(connection, result) != SSL_ERROR_WANT_READ {
                let fault = HandshakeFault(TLSLibrary.takeError(), verification: SSL_get_verify_result(connection))
                // The alert says why.
                _ = sendOutput()
                fail(Self.violation)
                return .failed(fault)
            }
            // OpenSSL has taken all of it.
            heldInput = nil
            let error = sendOutput()
            if error != 0 { return .failed(.broken(error)) }
            if !kernelMayHaveMore { return .waiting }
        }
    }

    /// Keeps what there is of the client's first record until it is whole. Before that, a client gets nothing else that
    /// would take memory.
    private func firstRecordIsWhole() -> Bool {
        if let held = heldInput {
            let joined = HeldBytes(copying: held.remaining, input)
            heldInput = joined
            input = joined.remaining
        }
        if Self.isWholeRecord(input) { return true }
        holdInput()
        return false
    }

    /// What is no record of a handshake is as whole as it will be: OpenSSL is to say what is wrong with it (RFC 8446 section 5.1).
    private static func isWholeRecord(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.first == UInt8(SSL3_RT_HANDSHAKE) else { return true }
        guard bytes.count >= Int(SSL3_RT_HEADER_LENGTH) else { return false }
        let length = Int(bytes[3]) << 8 | Int(bytes[4])
        return length > TLSWorkspace.recordSize || bytes.count >= Int(SSL3_RT_HEADER_LENGTH) + length
    }

    /// Whether the client has said anything.
    public var hasBegun: Bool {
        if case .plain = state { heldInput != nil } else { true }
    }

    /// What the handshake has brought to light; nil before it is done.
    public var details: TLSDetails? {
        guard case .open(let connection) = state else { return nil }
        var protocolBytes: UnsafePointer<UInt8>?
        var protocolLength: CUnsignedInt = 0
        SSL_get0_alpn_selected(connection, &protocolBytes, &protocolLength)
        let agreed = UnsafeBufferPointer(start: protocolBytes, count: Int(protocolLength))
        let client = SSL_get1_peer_certificate(connection).map { Certificate(owning: $0) }
        return TLSDetails(
            version: String(cString: SSL_get_version(connection)),
            cipher: String(cString: SSL_CIPHER_get_name(SSL_get_current_cipher(connection))),
            serverName: SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name).map { String(cString: $0) },
            applicationProtocol: agreed.isEmpty ? nil : String(decoding: agreed, as: UTF8.self),
            isResumed: SSL_session_reused(connection) == 1,
            clientCertificate: client.map {
                TLSDetails.ClientCertificate(
                    subject: $0.subject, commonName: $0.commonName, fingerprint: $0.fingerprint)
            })
    }

    // MARK: Receiving

    /// Takes what the kernel has, into the worker's memory, for decrypting.
    private func receive(upTo limit: Int) -> Socket.TransferResult {
        let buffer = UnsafeMutableRawBufferPointer(
            rebasing: workspace.input[..<min(max(limit, 1), workspace.input.count)])
        let result = Socket.receive(into: buffer, from: socket)
        kernelMayHaveMore = false
        if case .moved(let count) = result {
            input = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            kernelMayHaveMore = count == buffer.count
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
    private func holdInput() {
        if input.isEmpty {
            heldInput = nil
        } else if let held = heldInput {
            held.removeFirst(held.remaining.count - input.count)
        } else {
            heldInput = HeldBytes(copying: input)
        }
        input = UnsafeRawBufferPointer(start: nil, count: 0)
    }

    public override var mayHaveMore: Bool {
        guard case .open(let connection) = state else { return false }
        if kernelMayHaveMore || heldInput != nil { return true }
        if case .none = inputEnd { return SSL_pending(connection) > 0 }
        return true
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
                } else if !noteReadFailure(connection, count) {
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
        if filled > 0 { return .moved(filled) }
        return told
    }

    /// Leaves the bytes where they are, and takes no more from the kernel than their record.
    private func look(_ buffer: UnsafeMutableRawBufferPointer, _ connection: OpaquePointer) -> Socket.TransferResult {
        let held = heldInput
        if let held { input = held.remaining }
        reads = .directly
        defer { reads = .received }
        let count = SSL_peek(connection, buffer.baseAddress, CInt(min(buffer.count, Int(CInt.max))))
        if count > 0 { wordlessBytes = 0 } else { _ = noteReadFailure(connection, count) }
        withExtendedLifetime(held) { holdInput() }
        if workspace.outputCount > 0 { sendAnswers() }
        return count > 0 ? .moved(Int(count)) : told
    }

    /// - Returns: whether reading may go on.
    private func noteReadFailure(_ connection: OpaquePointer, _ result: CInt) -> Bool {
        switch SSL_get_error(connection, result) {
        // Only the end of what was received.
        case SSL_ERROR_WANT_READ: return false
        case SSL_ERROR_ZERO_RETURN: inputEnd = .proper
        default:
            _ = TLSLibrary.takeError()
            inputEnd = .failed(Self.violation)
        }
        return false
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

    private func join(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        workspace.joined.copyMemory(from: first)
        UnsafeMutableRawBufferPointer(rebasing: workspace.joined[first.count...]).copyMemory(from: second)
        return UnsafeRawBufferPointer(rebasing: workspace.joined[..<(first.count + second.count)])
    }

    private func encrypt(
        _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer, _ connection: OpaquePointer
    ) -> Socket.TransferResult {
        switch encrypt(first, connection) {
        case .moved(let count):
            guard count == first.count, heldOutput == nil else { return .moved(count) }
            return switch encrypt(second, connection) {
            case .moved(let more): .moved(count + more)
            case .wouldBlock, .endOfStream: .moved(count)
            case .failed(let code): .failed(code)
            }
        case let other: return other
        }
    }

    /// Encrypts and sends until everything is taken or the kernel takes no more.
    private func encrypt(_ bytes: UnsafeRawBufferPointer, _ connection: OpaquePointer) -> Socket.TransferResult {
        var taken = 0
        while taken < bytes.count, heldOutput == nil {
            let piece = min(bytes.count - taken, TLSWorkspace.outputPiece)
            let count = SSL_write(connection, bytes.baseAddress! + taken, CInt(piece))
            guard count > 0 else {
                _ = TLSLibrary.takeError()
                workspace.outputCount = 0
                return .failed(Self.violation)
            }
            taken += Int(count)
            let error = sendOutput()
            if error != 0 { return .failed(error) }
        }
        return .moved(taken)
    }

    /// Gives the kernel what has just been written, behind what it has not taken before, and keeps the rest.
    /// - Returns: 0 or an errno.
    private func sendOutput() -> CInt {
        let count = workspace.outputCount
        guard count > 0 else { return 0 }
        workspace.outputCount = 0
        let output = UnsafeRawBufferPointer(rebasing: workspace.output[..<count])
        if let held = heldOutput {
            heldOutput = HeldBytes(copying: held.remaining, output)
            return flush(to: socket)
        }
        switch Socket.send(output, to: socket) {
        case .moved(count): return 0
        case .moved(let sent): heldOutput = HeldBytes(copying: UnsafeRawBufferPointer(rebasing: output[sent...]))
        case .wouldBlock, .endOfStream: heldOutput = HeldBytes(copying: output)
        case .failed(let code): return code
        }
        return 0
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
        if SSL_shutdown(connection) < 0 { _ = TLSLibrary.takeError() }
        return sendOutput()
    }

    /// Some clients look for TCP's end alone.
    @discardableResult
    private func shutDown(_ socket: CInt) -> Bool {
        guard !hasShutDown else { return true }
        hasShutDown = true
        return shutdown(socket, CInt(SHUT_WR)) == 0
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
