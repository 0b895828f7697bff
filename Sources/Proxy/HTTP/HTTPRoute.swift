internal import Access
internal import Configuration
internal import HTTP1
internal import Network
internal import TLS

/// What is the same for all requests of a route with `protocol: http`, and the exchanges that its sessions take turns with.
///
/// One for each worker; belongs to the worker's thread.
final class HTTPRoute {
    let settings: HTTPSettings
    let forwarding: RequestForwarding
    /// As people know the app.
    let appName: String
    /// Who may come in by name and password; nil where nobody is asked.
    let basicAuth: BasicAuth?

    private let limits: HeadLimits
    private var recentSenders = RecentSenders()
    private var idleExchanges: [HTTPExchange] = []
    /// What is enough for a worker's usual load; the rest goes back to the system after a crowd.
    private static let mostIdleExchanges = 64

    init(_ route: Route, basicAuth: BasicAuth?) {
        self.basicAuth = basicAuth
        settings = route.http
        tellsCertificates = route.tls.isEnabled && route.tls.clientCA != nil
        appName = route.upstream.description
        let host: RequestForwarding.Host =
            switch settings.host {
            case .preserve: .preserve
            case .upstream: .upstream
            case .name(let name): .name(Array(name.utf8))
            }
        forwarding = RequestForwarding(host: host, upstreamAuthority: Array(route.upstream.urlAuthority.utf8))
        limits = HeadLimits(
            headBytes: settings.maxHeadSize, fields: settings.maxFields, targetBytes: settings.maxTargetLength)
    }

    /// Whether the app is told what certificate a client has.
    private let tellsCertificates: Bool

    /// Whether answers that name the app's own address are rewritten.
    var rewritesOrigins: Bool { forwarding.host == .upstream }

    /// What the app is told about a client.
    /// - Parameter tls: what its connection goes through, if anything.
    func sender(_ client: SocketAddress, scheme: Scheme, tls: TLSChannel?) -> Sender {
        // Who has a certificate is told by the connection, and not by the address.
        if tellsCertificates { return makeSender(client, scheme: scheme, certificate: ClientCertificate(tls?.details)) }
        guard let address = client.ipAddress else { return makeSender(client, scheme: scheme) }
        return recentSenders.sender(address, scheme: scheme) { makeSender(client, scheme: scheme) }
    }

    private func makeSender(
        _ client: SocketAddress, scheme: Scheme, certificate: ClientCertificate? = nil
    ) -> Sender {
        let address = client.ipAddress.map { Array($0.description.utf8) } ?? []
        return Sender(
            address: address, scheme: scheme, isTrusted: settings.trusts(client), certificate: certificate)
    }

    func takeExchange() -> HTTPExchange {
        idleExchanges.popLast() ?? HTTPExchange(limits)
    }

    /// Whether the next exchange is a new one.
    var hasNoIdleExchange: Bool { idleExchanges.isEmpty }

    /// Gives back the memory of those that nobody uses.
    func forgetIdleExchanges() {
        idleExchanges = []
    }

    func giveBack(_ exchange: HTTPExchange) {
        guard idleExchanges.count < Self.mostIdleExchanges else { return }
        exchange.forget()
        idleExchanges.append(exchange)
    }
}

extension ClientCertificate {
    fileprivate init(_ details: TLSDetails?) {
        guard let certificate = details?.clientCertificate else {
            self = .none
            return
        }
        self = .verified(
            subject: Array(certificate.subject.utf8), fingerprint: Array(certificate.fingerprint.utf8))
    }
}
