import COpenSSL
import EventLoop
import Network
import Relay
import TLS
import TestSupport

/// A client of TLS, the channel, and a relay to an app that knows nothing of TLS.
final class Bench {
    let loop: EventLoop
    let workspace: RelayWorkspace
    let client: TestClient
    let app: Peer
    let channel: TLSChannel
    private(set) var outcome: TLSChannel.Handshake?
    private(set) var details: TLSDetails?
    private(set) var end: Duplex.End?
    private var downstream: WatchedSocket?
    private var upstream: WatchedSocket?
    private var duplex: Duplex?
    private let tls = TLSWorkspace()

    init(_ context: TLSContext, _ options: TestClient.Options = .init(), parkingLimit: Int = 1 << 20) throws {
        let loop = try EventLoop()
        self.loop = loop
        workspace = RelayWorkspace(on: loop, parkingLimit: parkingLimit)
        (app, upstream) = try Peer.watched(on: loop)
        let (client, server) = try Peer.sockets()
        self.client = TestClient(client.take()!, options)
        channel = TLSChannel(in: tls)
        let downstream = try WatchedSocket(server.take()!.through(channel), on: loop)
        self.downstream = downstream
        downstream.onReady = { [unowned self] in ready($0, context) }
    }

    private func ready(_ readiness: IOEvent.Readiness, _ context: TLSContext) {
        guard let downstream, let upstream else { return }
        downstream.unusedReadiness.formUnion(readiness)
        let result = channel.handshake(on: downstream.socket, with: context)
        outcome = result
        switch result {
        case .waiting: break
        case .failed:
            downstream.onReady = nil
            self.downstream = nil
        case .done:
            details = channel.details
            let duplex = Duplex(downstream: downstream, upstream: upstream, in: workspace)
            self.duplex = duplex
            self.downstream = nil
            self.upstream = nil
            duplex.onEnd = { [unowned self] in end = $0 }
            duplex.start()
        }
    }

    /// Runs until the condition holds; client and app take in what arrives meanwhile.
    func run(reading: Bool = true, until condition: @escaping () -> Bool) throws -> Bool {
        try loop.run(until: { [self] in
            if reading || !client.isConnected { client.proceed() }
            app.read()
            return condition()
        })
    }

    /// Runs until both are connected.
    func connect() throws -> Bool {
        try run(until: { [self] in client.isConnected && details != nil })
    }

    /// How the handshake ended, if it failed.
    var fault: HandshakeFault? {
        if case .failed(let fault) = outcome { fault } else { nil }
    }
}

extension TestAuthority {
    /// A context with certificates for these requests, in their order.
    func context(
        _ requests: [Request] = [Request()], clients: TLSServerSettings.ClientCertificates = .notAsked,
        protocols: [String] = [], tickets: TicketKeys = TicketKeys(),
        clock: (@Sendable () -> Int)? = nil
    ) throws -> TLSContext {
        let pairs = requests.enumerated().map { index, request in
            let files = issue("server-\(index)", request)
            return TLSServerSettings.Pair(certificate: files.certificate, key: files.key)
        }
        return try TLSContext(
            TLSServerSettings(pairs: pairs, clientCertificates: clients, protocols: protocols), tickets: tickets,
            clock: clock)
    }
}
