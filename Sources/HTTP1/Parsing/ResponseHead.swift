/// A response's head: what it means, and the ranges of its parts in the bytes that it was parsed from.
///
/// It owns no bytes, as ``RequestHead``.
public struct ResponseHead: Sendable {
    /// The number of its bytes, with its empty line.
    public internal(set) var length = 0
    public internal(set) var version = Version.http11
    /// From 100 to 999.
    public internal(set) var status = 0
    /// The reason phrase; may be empty.
    public internal(set) var reasonRange = 0..<0
    /// The body's framing; ``BodyFraming/none`` of an informational response, which another head follows.
    public internal(set) var framing = BodyFraming.none
    /// Whether the connection to the app may be used again once the body has ended exactly where it should.
    public internal(set) var keepsAlive = false
    /// Whether it offers, or goes on with, a scheme that authenticates the connection (NTLM, Negotiate): from here on the
    /// app's connection must not serve anybody else.
    public internal(set) var authenticatesConnection = false
    public internal(set) var fields: [HeadField] = []

    /// The index behind the status line's CR LF.
    var fieldsStart = 0
    var connection = ConnectionOptions()

    /// Whether it is an interim response such as 100 or 103, behind which the real one comes. Not 101.
    public var isInformational: Bool { status < 200 && status != 101 }
    /// Whether it is 101: from here on the connection speaks another protocol.
    public var switchesProtocols: Bool { status == 101 }

    /// Returns the first field of this name.
    public func first(_ name: FieldName) -> HeadField? {
        for field in fields where field.name == name { return field }
        return nil
    }
}
