internal import Access
internal import Configuration
internal import HTTP1
internal import Network
internal import TLS

/// The things that all requests of a route with `protocol: http` have in common, and the exchanges that its clients take turns
/// with.
///
/// One for each worker; belongs to the worker's thread.
final class HTTPRoute {
    let settings: HTTPSettings
    let forwarding: RequestForwarding
    /// The app's address as people know it.
    let appName: String
    /// The names and passwords that are let in; nil where nobody is asked.
    let basicAuth: BasicAuth?

    private let limits: HeadLimits
    private var recentSenders = RecentSenders()
    private var idleExchanges: [HTTPExchange] = []
    /// The most exchanges that are kept: enough for a worker's usual load. The rest goes back to the system after a crowd.
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

    /// Whether responses that name the app's own address are rewritten.
    var rewritesOrigins: Bool { forwarding.host == .upstream }

    /// Returns the client as the app is told of it.
    /// - Parameter tls: the layer that its connection goes through, if any.
    func sender(_ client: SocketAddress, scheme: Scheme, tls: TLSChannel?) -> Sender {
        // A certificate belongs to the connection, and not to the address.
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
