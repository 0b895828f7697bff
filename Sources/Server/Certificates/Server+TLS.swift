internal import Configuration
internal import Observability
internal import Proxy
internal import TLS

extension Server {
    /// By what a route's clients are spoken to; nil where that is not TLS.
    func makeTLS(for route: Route) -> RouteTLS? {
        guard route.tls.isEnabled else { return nil }
        let tls = RouteTLS(awaitingFilesOf: route, tickets: tickets)
        do {
            try tls.readAgain()
        } catch {
            // They were good a moment ago, when the configuration was checked.
            noteFault(error, route.name)
        }
        return tls
    }

    private func noteFault(_ fault: TLSFault, _ route: String) {
        tlsFault = tlsFault ?? fault
        log.error("\(fault); what was good before stays", ["route": .text(route)])
    }

    /// Follows the files of all routes that there are.
    func followCertificates() {
        certificateFiles?.follow(shared.values.reduce(into: []) { $0.formUnion($1.tls?.settings.files ?? []) })
    }

    /// A certificate's file or a key's has become another one.
    func certificateChanged(_ path: String) {
        let routes = shared.filter { $0.value.tls?.settings.files.contains(path) ?? false }.keys.sorted()
        log.info("a certificate's file has changed", ["file": .text(path)])
        readCertificatesAgain(of: routes)
    }

    /// Reads certificates and keys again, for the connections that begin from now on.
    func readCertificatesAgain(of routes: [Int]) {
        for number in routes {
            guard let shared = shared[number], let tls = shared.tls else { continue }
            do {
                try tls.readAgain()
            } catch {
                noteFault(error, shared.configuration.name)
            }
        }
    }
}

extension Configuration {
    /// Whether any route's clients are spoken to in TLS, one that is yet to be found too.
    var speaksTLS: Bool { defaults.tls.isEnabled || routes.contains { $0.tls.isEnabled } }
}
