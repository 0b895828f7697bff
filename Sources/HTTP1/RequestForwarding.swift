/// What an app sees of the requests that a route passes on to it.
public struct RequestForwarding: Sendable, Equatable {
    /// Which Host field the app gets.
    public enum Host: Sendable, Equatable {
        /// The client's.
        case preserve
        /// The app's own address; Origin and Referer follow where they name what the client asked for.
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
