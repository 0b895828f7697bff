package import Configuration
package import EventLoop
package import Network

/// Who may come in to a route, for all workers (`allow`, `deny`, `per_client`). Callable from every thread.
package struct Doorkeeper: Sendable {
    /// Who may come in by address.
    package let access: AccessList
    private let connections: ClientConnections?
    private let rates: ClientRates?
    private let maxConnections: Int
    private let rate: ClientRates.Limit

    /// - Parameter predecessor: the route's that this one takes the place of, who knows the clients that are there.
    /// - Returns: nil where everybody may come in.
    package init?(for route: Route, inPlaceOf predecessor: Doorkeeper?) {
        let limits = route.perClient
        access = AccessList(allow: route.allow, deny: route.deny)
        if access.admitsEverybody, limits.maxConnections == nil, limits.rate == nil { return nil }
        connections = limits.maxConnections.map { _ in predecessor?.connections ?? ClientConnections() }
        maxConnections = limits.maxConnections ?? .max
        rates = limits.rate.map { _ in predecessor?.rates ?? ClientRates() }
        rate =
            limits.rate.map { ClientRates.Limit($0.count, per: $0.period, burst: limits.burst ?? $0.count) }
            ?? ClientRates.Limit(1, per: .zero, burst: 1)
    }

    /// Lets a client in, or says why not. To be asked once for each connection, by the address that it has come from; one on a
    /// Unix socket has none, and may come in.
    /// - Parameter isRetry: whether it was admitted a moment ago, and what it wanted goes another way; that is no token.
    /// - Returns: to be kept as long as the connection, and then let go of; nil where that is not counted.
    package func admit(_ client: SocketAddress, isRetry: Bool = false, at now: @autoclosure () -> MonotonicTime)
        throws(ClientRefusal) -> ClientPermit?
    {
        guard let address = client.ipAddress else { return nil }
        guard access.admits(address) else { throw .denied }
        let key = ClientKey(address)
        if let rates, !isRetry, !rates.take(for: key, limit: rate, at: now()) { throw .tooFast }
        guard let connections else { return nil }
        guard let place = connections.take(for: key, limit: maxConnections) else { throw .tooManyConnections }
        return place
    }
}
