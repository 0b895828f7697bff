package import Access
package import Configuration
package import Upstream

/// The part of a route that the workers share: values that never change, and values that guard themselves.
package struct SharedRoute: Sendable {
    package let configuration: Route
    /// The rules of admission (`allow`, `deny`, `per_client`); nil where everybody is admitted.
    let door: Doorkeeper?
    /// The permits for clients' connections (`max_connections`).
    let connections: ConnectionBudget
    /// The names and passwords of users; nil where nobody is asked.
    package let basicAuth: BasicAuth?
    /// The thread that checks passwords; nil where the system had no descriptors for it.
    let passwords: PasswordThread?
    package let hold: HoldCoordinator
    /// The permits for connections to the app (`upstream_connections`); nil where their number has no bound.
    let admission: AdmissionQueue?
    /// The certificates for TLS with clients; nil where there is no TLS.
    package let tls: RouteTLS?
    let sourceTroubles = SourceTrouble.Register()
}
