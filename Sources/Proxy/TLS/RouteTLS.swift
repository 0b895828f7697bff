package import Configuration
internal import EventLoop
package import TLS

/// Holds the certificates for a route's clients, replaced as a whole when their files change.
///
/// Callable from every thread: the control thread reads the files, the workers take the result.
package final class RouteTLS: Sendable {
    package let settings: TLSServerSettings
    private let state = Guarded<TLSContext?>(nil)

    /// Makes a holder that has no certificates until ``use(_:)`` is called.
    package init(_ route: Route) {
        settings = TLSServerSettings(route)
    }

    /// The context for new connections; nil where no valid files have been found yet.
    var context: TLSContext? { state.withLock { $0 } }

    /// Uses a context for connections that begin from now on.
    package func use(_ context: TLSContext) {
        state.withLock { $0 = context }
    }
}

extension TLSServerSettings {
    /// Makes the settings from a route's `tls`.
    package init(_ route: Route) {
        let tls = route.tls
        let clients: ClientCertificates =
            switch (tls.clientCA, tls.clientCertificate) {
            case (nil, _): .notAsked
            case (let path?, .required): .required(authorities: path)
            case (let path?, .optional): .optional(authorities: path)
            }
        self.init(
            pairs: tls.pairs.map { Pair(certificate: $0.certificate, key: $0.key ?? $0.certificate) },
            clientCertificates: clients, protocols: ServedProtocol(route.protocol).applicationProtocols)
    }
}
