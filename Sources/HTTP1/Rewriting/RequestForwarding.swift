/// The rules by which a route's requests are rewritten for its app.
public struct RequestForwarding: Sendable, Equatable {
    /// The Host field that the app gets.
    public enum Host: Sendable, Equatable {
        /// The client's.
        case preserve
        /// The app's own address; Origin and Referer follow where they name the host that the client asked for.
        case upstream
        /// This one.
        case name([UInt8])
    }

    public let host: Host
    /// The app's own address as a URL has it, such as `localhost:8000`. Without port 80, as clients leave that out.
    public let upstreamAuthority: [UInt8]

    public init(host: Host, upstreamAuthority: [UInt8]) {
        self.host = host
        self.upstreamAuthority = upstreamAuthority
    }
}
