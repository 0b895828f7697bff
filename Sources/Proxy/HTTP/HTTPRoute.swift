internal import Configuration
internal import HTTP1
internal import Network

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

    /// Whether answers that name the app's own address are rewritten.
    var rewritesOrigins: Bool { forwarding.host == .upstream }

    /// What the app is told about a client.
    func sender(_ client: SocketAddress, scheme: Scheme) -> Sender {
        guard let address = client.ipAddress else {
            return Sender(address: [], scheme: scheme, isTrusted: settings.trusts(client))
        }
        return recentSenders.sender(address, scheme: scheme) {
            Sender(address: Array(address.description.utf8), scheme: scheme, isTrusted: settings.trusts(client))
        }
    }

    func takeExchange() -> HTTPExchange {
        idleExchanges.popLast() ?? HTTPExchange(limits)
    }

    func giveBack(_ exchange: HTTPExchange) {
        guard idleExchanges.count < Self.mostIdleExchanges else { return }
        exchange.forget()
        idleExchanges.append(exchange)
    }
}
