package import Configuration
internal import EventLoop
package import TLS

/// The certificates that a route's clients are shown, replaced as a whole when their files change.
///
/// Callable from every thread: the control thread reads files, the workers take what it has found.
package final class RouteTLS: Sendable {
    package let settings: TLSServerSettings
    private let tickets: TicketKeys
    private let state: Guarded<TLSContext?>

    /// Has nothing for clients until ``readAgain()`` has found something.
    package init(awaitingFilesOf route: Route, tickets: TicketKeys) {
        settings = TLSServerSettings(route)
        self.tickets = tickets
        state = Guarded(nil)
    }

    /// What a connection that begins now goes by; nil where no good files have been found yet.
    var context: TLSContext? { state.withLock { $0 } }

    /// Reads the files again; connections that begin from now on are shown what they hold. Where they are no good, what was
    /// good before stays.
    package func readAgain() throws(TLSFault) {
        let fresh = try TLSContext(settings, tickets: tickets)
        state.withLock { $0 = fresh }
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
            clientCertificates: clients, protocols: route.protocol == .http ? ["http/1.1", "http/1.0"] : [])
    }
}
