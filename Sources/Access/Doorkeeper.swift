package import Configuration
package import EventLoop
package import Network

/// Decides which clients may come in to a route, for all workers (`allow`, `deny`, `per_client`). Callable from every thread.
package struct Doorkeeper: Sendable {
    /// The addresses that may come in.
    package let access: AccessList
    private let connections: ClientConnections?
    private let rates: ClientRates?
    private let maxConnections: Int
    private let rate: ClientRates.Limit

    /// - Parameter predecessor: the doorkeeper of the route that this one replaces, whose counts of clients go on.
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

    /// Lets a client in; to be asked once for each connection. A client on a Unix socket has no address, and may come in.
    /// - Parameter isRetry: whether it was admitted a moment ago and is sent another way now, which takes no token.
    /// - Returns: a permit to be held as long as the connection; nil where connections are not counted.
    /// - Throws: ``ClientRefusal`` where it may not come in.
    package func admit(_ client: SocketAddress, isRetry: Bool = false, at now: @autoclosure () -> MonotonicTime)
        throws(ClientRefusal) -> ClientPermit?
    {
        guard let address = client.ipAddress else { return nil }
        guard access.admits(address) else { throw .denied }
        let key = ClientKey(address)
        if let rates, !isRetry, !rates.take(for: key, limit: rate, at: now()) { throw .tooFast }
        guard let connections else { return nil }
        guard let permit = connections.take(for: key, limit: maxConnections) else { throw .tooManyConnections }
        return permit
    }
}
