/// Where something stands in a YAML text; line and column count from 1, columns in Unicode scalars.
public struct YAMLPosition: Hashable, Sendable {
    /// The line, from 1.
    public let line: Int
    /// The column, from 1.
    public let column: Int

    /// A position in a text.
    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    /// The position of the byte at `offset`, for faults that are found before there are lines.
    init(ofByte offset: Int, in bytes: [UInt8]) {
        let lines = YAMLLines(Array(bytes.prefix(offset)))
        line = lines.count
        column = String(decoding: lines[line] ?? [], as: UTF8.self).unicodeScalars.count + 1
    }
}

extension YAMLPosition: Comparable {
    /// The order of reading.
    public static func < (left: YAMLPosition, right: YAMLPosition) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}
