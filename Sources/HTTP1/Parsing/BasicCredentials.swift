/// A user's name and password as an Authorization field has them (RFC 7617).
public struct BasicCredentials: Sendable, Hashable {
    public let user: String
    /// Has no zero byte, at which a password would seem to end.
    public let password: [UInt8]

    /// The longest password that is looked at.
    public static let longestPassword = 256
    private static let longestUser = 256

    public init(user: String, password: [UInt8]) {
        self.user = user
        self.password = password
    }
}

extension RequestHead {
    /// The user's name and password; nil where there is no such field, or more than one, or no sense in it.
    public func basicCredentials(_ bytes: Span<UInt8>) -> BasicCredentials? {
        var value: Range<Int>?
        for field in fields where field.name == .authorization {
            guard value == nil else { return nil }
            value = field.valueRange
        }
        return value.flatMap { BasicCredentials(bytes, $0) }
    }
}

extension BasicCredentials {
    private static let scheme = Array("basic ".utf8)

    /// Reads a field's value: `Basic dXNlcjpwYXNzd29yZA==`.
    init?(_ bytes: Span<UInt8>, _ value: Range<Int>) {
        let scheme = Self.scheme
        guard value.count > scheme.count else { return nil }
        for (offset, letter) in scheme.enumerated() {
            let byte = bytes[value.lowerBound + offset]
            guard byte == letter || byte | 0x20 == letter && letter != 0x20 else { return nil }
        }
        var start = value.lowerBound + scheme.count
        while start < value.upperBound, bytes[start] == 0x20 { start += 1 }
        guard let decoded = Self.decoded(bytes, start..<value.upperBound),
            let colon = decoded.firstIndex(of: UInt8(ascii: ":")), 1...Self.longestUser ~= colon,
            let user = String(validating: decoded[..<colon], as: UTF8.self)
        else { return nil }
        let password = decoded[(colon + 1)...]
        guard password.count <= Self.longestPassword, !password.contains(0), !user.utf8.contains(0) else { return nil }
        self.init(user: user, password: Array(password))
    }

    /// Decodes base64 (RFC 4648 section 4), whose padding may be left out; nil where it is none.
    private static func decoded(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [UInt8]? {
        var end = range.upperBound
        var padding = 0
        while end > range.lowerBound, bytes[end - 1] == UInt8(ascii: "="), padding < 2 {
            end -= 1
            padding += 1
        }
        let count = end - range.lowerBound
        guard count % 4 != 1, padding == 0 || (count + padding) % 4 == 0 else { return nil }
        var result: [UInt8] = []
        result.reserveCapacity(count * 3 / 4)
        var bits: UInt32 = 0
        for index in 0..<count {
            guard let six = value(of: bytes[range.lowerBound + index]) else { return nil }
            bits = bits << 6 | six
            if index % 4 == 3 { result += [UInt8(bits >> 16 & 0xFF), UInt8(bits >> 8 & 0xFF), UInt8(bits & 0xFF)] }
        }
        switch count % 4 {
        case 2: result.append(UInt8(bits >> 4 & 0xFF))
        case 3: result += [UInt8(bits >> 10 & 0xFF), UInt8(bits >> 2 & 0xFF)]
        default: break
        }
        return result
    }

    private static func value(of digit: UInt8) -> UInt32? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(digit) - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(digit) - 71
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit) + 4
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
