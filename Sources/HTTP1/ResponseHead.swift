/// A response's head: what it means, and where its parts stand in the bytes that it was parsed from.
///
/// It owns no bytes, as ``RequestHead``.
public struct ResponseHead: Sendable {
    /// How many bytes it takes with its empty line.
    public internal(set) var length = 0
    public internal(set) var version = Version.http11
    /// From 100 to 999.
    public internal(set) var status = 0
    /// The reason phrase; may be empty.
    public internal(set) var reasonRange = 0..<0
    /// Of an informational response ``BodyFraming/none``: another head follows.
    public internal(set) var framing = BodyFraming.none
    /// Whether the connection to the app may be used again once the body has ended exactly where it should.
    public internal(set) var keepsAlive = false
    /// Whether it offers, or goes on with, a scheme that authenticates the connection (NTLM, Negotiate): from here on the
    /// app's connection must not serve anybody else.
    public internal(set) var authenticatesConnection = false
    public internal(set) var fields: [HeadField] = []

    /// Behind the status line's CR LF.
    var fieldsStart = 0
    var connection = ConnectionOptions()

    /// An interim response such as 100 or 103: the real one is still to come. Not 101.
    public var isInformational: Bool { status < 200 && status != 101 }
    /// 101: from here on the connection speaks another protocol.
    public var switchesProtocols: Bool { status == 101 }

    /// The first field of this name.
    public func first(_ name: FieldName) -> HeadField? {
        for field in fields where field.name == name { return field }
        return nil
    }
}
