package import Configuration
internal import EventLoop
package import TLS

/// The certificates that a route's clients are shown, replaced as a whole when their files change.
///
/// Callable from every thread: the control thread reads files, the workers take what it has found.
package final class RouteTLS: Sendable {
    package let settings: TLSServerSettings
    private let state = Guarded<TLSContext?>(nil)

    /// Has nothing for clients until ``use(_:)`` has been called.
    package init(_ route: Route) {
        settings = TLSServerSettings(route)
    }

    /// What a connection that begins now goes by; nil where no good files have been found yet.
    var context: TLSContext? { state.withLock { $0 } }

    /// Shows connections that begin from now on what the files hold.
    package func use(_ context: TLSContext) {
        state.withLock { $0 = context }
    }
}

extension TLSServerSettings {
    /// What a route's `tls` means.
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
