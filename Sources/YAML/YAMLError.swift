/// A position in a YAML text; line and column count from 1, columns in Unicode scalars.
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

/// Why a text is not the YAML that is read here.
public struct YAMLError: Error, Hashable, Sendable {
    /// The fault, in words.
    public let message: String
    /// The position.
    public let position: YAMLPosition
    /// The beginning of the list, mapping or text that is not in order; nil where it adds nothing.
    public let beginning: YAMLPosition?

    /// An error at a position.
    public init(_ message: String, at position: YAMLPosition, beginning: YAMLPosition? = nil) {
        self.message = message
        self.position = position
        self.beginning = beginning
    }
}

extension YAMLError {
    /// libyaml did not get the memory that it needs.
    static let outOfMemory = YAMLError("out of memory", at: YAMLPosition(line: 1, column: 1))
}

extension YAMLError: CustomStringConvertible {
    /// `3:7: what is wrong`
    public var description: String { "\(position.line):\(position.column): \(message)" }
}
