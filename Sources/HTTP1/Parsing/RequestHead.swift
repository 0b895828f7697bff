/// A request's head: what it means, and the ranges of its parts in the bytes that it was parsed from.
///
/// It owns no bytes. All ranges count from the first byte that was given to the parser, and every function that takes
/// bytes wants the same ones.
public struct RequestHead: Sendable {
    /// The number of its bytes, with its empty line.
    public internal(set) var length = 0
    public internal(set) var method = Method.other
    public internal(set) var version = Version.http11
    public internal(set) var target = RequestTarget.asterisk
    /// The host that the client asked for: the authority of a target that is a URL, or else the Host field's value. Nil only in
    /// HTTP/1.0.
    public internal(set) var hostRange: Range<Int>?
    public internal(set) var framing = BodyFraming.none
    /// Whether the client may send another request on the connection.
    public internal(set) var keepsAlive = false
    /// Whether the client waits for 100 (Continue) before it sends the body.
    public internal(set) var expectsContinue = false
    public internal(set) var upgrade = Upgrade.none
    /// Whether it has credentials of a scheme that authenticates the connection (NTLM, Negotiate): from here on the app's
    /// connection must not serve anybody else.
    public internal(set) var authenticatesConnection = false
    public internal(set) var fields: [HeadField] = []

    var storedMethodRange = 0..<0
    var storedTargetRange = 0..<0
    /// The index behind the request line's CR LF.
    var fieldsStart = 0
    var connection = ConnectionOptions()

    /// The method as it was sent; empty when the head was refused before its end.
    public var methodRange: Range<Int> { storedMethodRange }
    /// The target as it was sent; empty when the head was refused before its end.
    public var targetRange: Range<Int> { storedTargetRange }
    /// The request line without its CR LF, as in a log; empty when the head was refused before its end.
    public var requestLine: Range<Int> {
        fieldsStart == 0 ? 0..<0 : storedMethodRange.lowerBound..<fieldsStart - 2
    }

    /// Returns the first field of this name.
    public func first(_ name: FieldName) -> HeadField? {
        for field in fields where field.name == name { return field }
        return nil
    }

    /// Whether a page made for people is welcome: the client's Accept names HTML.
    public func acceptsHTML(_ bytes: Span<UInt8>) -> Bool {
        for field in fields where field.name == .accept {
            var elements = ListElements(field.valueRange)
            while let element = elements.next(in: bytes) {
                let end = bytes.firstIndex(of: .semicolon, in: element) ?? element.upperBound
                let type = bytes.trimmed(element.lowerBound..<end)
                if bytes.equals(type, Text.html) || bytes.equals(type, Text.xhtml) { return true }
            }
        }
        return false
    }
}
