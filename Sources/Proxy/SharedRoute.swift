internal import Configuration
internal import Upstream

/// What the workers share of a route: what never changes, and what guards itself.
struct SharedRoute: Sendable {
    let configuration: Route
    /// Places for downstream connections (`max_connections`).
    let connections: ConnectionBudget
    let hold: HoldCoordinator
    let sourceTroubles = SourceTrouble.Register()
}
