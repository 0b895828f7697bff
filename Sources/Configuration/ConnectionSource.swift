/// From which addresses the connections to an app come.
public enum ConnectionSource: String, Sendable, CaseIterable {
    /// From 127.0.0.1, as the kernel chooses.
    case `default`
    /// Each client's from a 127.x.y.z of its own.
    case perClient = "per_client"
}
