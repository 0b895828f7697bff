/// A text's lines as YAML's positions count them: a line ends at LF, CR, CR LF, NEL, LS or PS (YAML 1.1, section 4.2).
public struct YAMLLines: Sendable {
    private let bytes: [UInt8]
    /// Each without what ends it; the last one may be empty.
    private let ranges: [Range<Int>]

    /// The lines of a text, without a byte order mark.
    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
        var ranges: [Range<Int>] = []
        var start = bytes.starts(with: Self.byteOrderMark) ? Self.byteOrderMark.count : 0
        var index = start
        while index < bytes.count {
            let length = Self.breakLength(in: bytes, at: index)
            if length > 0 {
                ranges.append(start..<index)
                start = index + length
            }
            index += max(length, 1)
        }
        ranges.append(start..<bytes.count)
        self.ranges = ranges
    }

    /// The number of lines, at least 1.
    public var count: Int { ranges.count }

    /// The bytes of a line, counted from 1; nil where the text has ended.
    public subscript(number: Int) -> ArraySlice<UInt8>? {
        ranges.indices.contains(number - 1) ? bytes[ranges[number - 1]] : nil
    }

    static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// The length of the line break at the index; 0 for none.
    private static func breakLength(in bytes: [UInt8], at index: Int) -> Int {
        func byte(_ distance: Int) -> UInt8? {
            index + distance < bytes.count ? bytes[index + distance] : nil
        }
        switch bytes[index] {
        case 0x0A: return 1
        case 0x0D: return byte(1) == 0x0A ? 2 : 1
        case 0xC2: return byte(1) == 0x85 ? 2 : 0
        case 0xE2: return byte(1) == 0x80 && (byte(2) == 0xA8 || byte(2) == 0xA9) ? 3 : 0
        default: return 0
        }
    }
}
