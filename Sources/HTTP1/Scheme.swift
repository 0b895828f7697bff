/// The scheme with which a client reached us.
public enum Scheme: UInt8, Sendable {
    case http, https

    /// The port that a URL without one means.
    var defaultPort: Int { self == .http ? 80 : 443 }

    var text: [UInt8] { self == .http ? Text.http : Text.https }
}
