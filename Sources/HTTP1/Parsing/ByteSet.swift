/// A set of ASCII characters, one bit each, so that asking for a byte takes no memory access.
struct ByteSet {
    /// The characters below 64.
    let low: UInt64
    /// Those from 64 to 127.
    let high: UInt64

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        let word = byte & 64 == 0 ? low : high
        return byte < 128 && word >> UInt64(byte & 63) & 1 != 0
    }

    /// RFC 9110 section 5.6.2: what names, methods and list options are made of.
    @inline(__always)
    static var token: ByteSet { ByteSet(low: 0x03FF_6CFA_0000_0000, high: 0x57FF_FFFF_C7FF_FFFE) }

    /// The characters of a request target: printable ASCII but `#`, which no target has (RFC 9112 section 3.2). More than RFC
    /// 3986 allows, because browsers send `|`, `{` or `"` as they are.
    @inline(__always)
    static var target: ByteSet { ByteSet(low: 0xFFFF_FFF6_0000_0000, high: 0x7FFF_FFFF_FFFF_FFFF) }

    /// RFC 3986 section 3.2.2: a registered name or an IPv4 address, without percent-encoding. Not the comma: the value
    /// goes into X-Forwarded-Host, which is a list.
    @inline(__always)
    static var hostName: ByteSet { ByteSet(low: 0x2BFF_6FD2_0000_0000, high: 0x47FF_FFFE_87FF_FFFE) }
}

extension UInt8 {
    static var tab: UInt8 { 0x09 }
    static var lineFeed: UInt8 { 0x0A }
    static var carriageReturn: UInt8 { 0x0D }
    static var space: UInt8 { 0x20 }
    static var quote: UInt8 { 0x22 }
    static var comma: UInt8 { 0x2C }
    static var slash: UInt8 { 0x2F }
    static var zero: UInt8 { 0x30 }
    static var colon: UInt8 { 0x3A }
    static var semicolon: UInt8 { 0x3B }
    static var equals: UInt8 { 0x3D }
    static var backslash: UInt8 { 0x5C }

    var isDigit: Bool { self &- .zero < 10 }

    /// Optional whitespace (RFC 9110 section 5.6.3).
    var isBlank: Bool { self == .space || self == .tab }

    /// The value of a hexadecimal digit; nil for another character.
    var hexadecimal: UInt8? {
        if isDigit { return self &- .zero }
        let letter = (self | 0x20) &- 0x61
        return letter < 6 ? letter &+ 10 : nil
    }
}
