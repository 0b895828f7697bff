import COpenSSL
import EventLoop
import Glibc
import Network
import TLS

/// A handshake, words both ways, and ends, without a loop; only the server's allocations may fail.
final class Conversation {
    enum Outcome: Equatable {
        case whole
        /// With a cause at the server, or at least at the client.
        case brokenOff
        case wrong(String)
    }

    private static let question = [UInt8](repeating: 81, count: 40_000)
    private static let answer = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 / 251) }

    private let channel: TLSChannel
    private var socket: Socket?
    private let client: TestClient
    private let context: TLSContext
    private let options: TestClient.Options
    /// What the server has found out.
    private(set) var details: TLSDetails?
    /// How many of the server's allocations the handshake has taken.
    private(set) var askedInHandshake = 0

    init(_ context: TLSContext, _ workspace: TLSWorkspace, _ options: TestClient.Options) {
        self.context = context
        self.options = options
        var numbers: [CInt] = [0, 0]
        require(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &numbers) == 0)
        channel = TLSChannel(in: workspace)
        socket = Socket(owning: .init(owning: numbers[0])).through(channel)
        // One that a connection has failed with is good for nothing afterwards.
        var own = options
        own.session = options.session.map { SSL_SESSION_dup($0)! }
        client = TestClient(Socket(owning: .init(owning: numbers[1])), own)
        if let session = own.session { SSL_SESSION_free(session) }
    }

    /// What the client may come back with, good also when the connection is no more; it must be freed.
    var session: OpaquePointer? { SSL_get_session(client.connection).flatMap { SSL_SESSION_dup($0) } }

    /// - Parameter known: what the server has to find out, where it says that it has.
    func take(_ plan: FailingAllocations.Plan?, expecting known: TLSDetails? = nil) -> Outcome {
        FailingAllocations.begin(plan)
        let cause = serve()
        if let number = socket?.number { FailingAllocations.armed { channel.willClose(number) } }
        socket = nil
        client.proceed()
        let received = client.received
        let isPart = received.withUnsafeBytes { bytes in
            bytes.isEmpty
                || Self.answer.withUnsafeBytes { memcmp(bytes.baseAddress!, $0.baseAddress!, bytes.count) } == 0
        }
        guard received.count <= Self.answer.count, isPart else { return .wrong("the client has wrong bytes") }
        if client.isConnected, client.peerName != options.serverName { return .wrong("another host's certificate") }
        if let known, let details {
            let isRight =
                details.clientCertificate == known.clientCertificate && details.serverName == known.serverName
                && details.applicationProtocol == known.applicationProtocol
            if !isRight { return .wrong("the server takes the client for another: \(details)") }
        }
        let isComplete = received.count == Self.answer.count
        switch (client.end, cause) {
        case (nil, _): return .wrong("the client waits")
        case (0, nil): return isComplete ? .whole : .wrong("half an answer that seems whole, and no cause")
        case (0, let cause?): return .wrong("a proper end, though the server has failed: \(cause)")
        case (_, nil): return isComplete ? .brokenOff : .wrong("half an answer without a cause")
        case (_, let cause?): return cause == Self.noMemory ? .brokenOff : .wrong("a wrong cause: \(cause)")
        }
    }

    private static let noMemory = "no memory"

    private static func text(_ failure: SocketFailure) -> String { failure == .outOfMemory ? noMemory : "\(failure)" }

    /// - Returns: why it has failed; nil where it has not.
    private func serve() -> String? {
        for _ in 0..<10 {
            client.proceed()
            let result = FailingAllocations.armed { channel.handshake(on: socket!, with: context) }
            if case .failed(let fault) = result { return fault == .outOfMemory ? Self.noMemory : "\(fault)" }
            if case .done = result { break }
        }
        askedInHandshake = FailingAllocations.asked
        client.proceed()
        guard client.isConnected else { return "no handshake" }
        details = FailingAllocations.armed { channel.details }
        guard details != nil else { return Self.noMemory }
        if let cause = listen() { return cause }
        return answer()
    }

    private func listen() -> String? {
        // Which asks for an answer with new keys.
        if options.version == TLS1_3_VERSION { SSL_key_update(client.connection, SSL_KEY_UPDATE_REQUESTED) }
        require(client.send(Self.question) == Self.question.count)
        var buffer = [UInt8](repeating: 0, count: 10_000)
        var count = 0
        for peek in [true] + Array(repeating: false, count: 100) where count < Self.question.count {
            let result = FailingAllocations.armed {
                buffer.withUnsafeMutableBytes { socket!.receive(into: $0, peek: peek) }
            }
            switch result {
            case .moved(let more):
                require(buffer[..<more].withUnsafeBytes { memcmp($0.baseAddress!, Self.question, more) } == 0)
                if !peek { count += more }
            case .wouldBlock: return "the server waits for what has come"
            case .endOfStream: return "an end that nobody has said"
            case .failed(let failure): return Self.text(failure)
            }
        }
        return count == Self.question.count ? nil : "the question has \(count) bytes"
    }

    private func answer() -> String? {
        var sent = 0
        while sent < Self.answer.count {
            let result = FailingAllocations.armed {
                Self.answer.withUnsafeBytes {
                    let middle = sent + min(100, $0.count - sent)
                    return socket!.send(
                        UnsafeRawBufferPointer(rebasing: $0[sent..<middle]),
                        UnsafeRawBufferPointer(rebasing: $0[middle...]))
                }
            }
            client.proceed()
            switch result {
            case .moved(let count): sent += count
            case .wouldBlock: require(socket!.flush() == nil)
            case .endOfStream: return "an end in sending"
            case .failed(let failure): return Self.text(failure)
            }
        }
        while (socket?.unsentBytes ?? 0) > 0 {
            require(socket!.flush() == nil)
            client.proceed()
        }
        return FailingAllocations.armed { socket!.finishSending() } ? nil : Self.noMemory
    }
}
