/// Whether a request asks for another protocol (RFC 9110 section 7.8).
public enum Upgrade: UInt8, Sendable {
    case none
    /// WebSocket (RFC 6455): the request is passed on with its Upgrade, and a response of 101 begins a relay.
    case webSocket
    /// Anything else, such as h2c: the request is passed on without its Upgrade, which a server may always do.
    case unsupported
}
