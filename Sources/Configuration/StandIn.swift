public import Network
public import Observability
public enum WorkerCount: Sendable, Equatable { case auto, count(Int) }
public struct LogSettings: Sendable, Equatable { public var level = LogLevel.info; public var format = LogFormat.text; public var access = true; public init() {} }
public struct Configuration: Sendable, Equatable { public var workers = WorkerCount.auto; public var log = LogSettings(); public var drain = Duration.seconds(5); public var routes: [Route] = []; public init() {} }
public struct Route: Sendable, Equatable {
    public var name: String; public var listen: [ListenAddress]; public var upstream: UpstreamAddress
    public var hold: Duration = .seconds(10); public var connectTimeout: Duration = .seconds(1)
    public var idleTimeout: Duration = .seconds(3600); public var halfCloseTimeout: Duration = .seconds(300)
    public var maxConnections = 10000
    public init(name: String, listen: [ListenAddress], upstream: UpstreamAddress) { self.name = name; self.listen = listen; self.upstream = upstream }
}
public enum ListenAddress: Sendable, Hashable { case address(SocketAddress), everyNonLoopback(port: UInt16, families: [IPAddress.Family]) }
public enum UpstreamAddress: Sendable, Hashable, CustomStringConvertible {
    case localhost(port: UInt16), address(SocketAddress)
    public var candidates: [SocketAddress] { switch self { case .localhost(let p): [.ip(.loopbackV4, port: p), .ip(.loopbackV6, port: p)]; case .address(let a): [a] } }
    public var description: String { switch self { case .localhost(let p): "localhost:\(p)"; case .address(let a): "\(a)" } }
}
