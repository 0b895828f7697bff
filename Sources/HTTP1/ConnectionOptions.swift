/// The options in a head's Connection fields (RFC 9110 section 7.6.1).
struct ConnectionOptions: Sendable, Equatable {
    /// The most options that are taken: more than any honest sender lists, as each may mean a look at all fields.
    static let most = 32

    private(set) var closes = false
    private(set) var keepsAlive = false
    private(set) var upgrades = false
    /// Whether it names fields that belong to the connection and are not known as such.
    private(set) var namesFields = false
    private var count = 0

    /// Takes one field's value in; false when there is too much of it.
    mutating func add(_ bytes: Span<UInt8>, _ value: Range<Int>) -> Bool {
        var elements = ListElements(value)
        while let element = elements.next(in: bytes) {
            count += 1
            guard count <= Self.most else { return false }
            switch FoldedToken(bytes, element) {
            case .close: closes = true
            case .keepAlive: keepsAlive = true
            case .upgrade: upgrades = true
            default: namesFields = true
            }
        }
        return true
    }

    /// Whether the connection may be used again after the message (RFC 9112 section 9.3).
    func persists(in version: Version) -> Bool {
        !closes && (version == .http11 || keepsAlive)
    }

    /// Whether one of the Connection fields names this field.
    static func name(_ field: HeadField, in fields: [HeadField], of bytes: Span<UInt8>) -> Bool {
        for connection in fields where connection.name == .connection {
            var elements = ListElements(connection.valueRange)
            while let element = elements.next(in: bytes) {
                if bytes.equals(element, bytes, field.nameRange) { return true }
            }
        }
        return false
    }
}
