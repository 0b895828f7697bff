package import Access
package import Configuration
package import Upstream

/// What the workers share of a route: what never changes, and what guards itself.
package struct SharedRoute: Sendable {
    package let configuration: Route
    /// Who may come in (`allow`, `deny`, `per_client`); nil where everybody may.
    let door: Doorkeeper?
    /// Places for downstream connections (`max_connections`).
    let connections: ConnectionBudget
    /// Who may come in by name and password; nil where nobody is asked.
    package let basicAuth: BasicAuth?
    /// What finds out about passwords; nil where the system had nothing for it.
    let passwords: PasswordThread?
    package let hold: HoldCoordinator
    /// Places for connections to the app (`upstream_connections`); nil where there may be any number.
    let admission: AdmissionQueue?
    /// What TLS is spoken by; nil where clients are spoken to in plain bytes.
    package let tls: RouteTLS?
    let sourceTroubles = SourceTrouble.Register()
}
