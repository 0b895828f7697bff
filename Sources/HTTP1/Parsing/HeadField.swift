/// One field line of a head: its name's meaning, and its ranges of the bytes.
public struct HeadField: Sendable, Equatable {
    public let name: FieldName
    private let start: UInt32
    private let nameEnd: UInt32
    private let valueStart: UInt32
    private let valueEnd: UInt32
    private let end: UInt32

    init(_ name: FieldName, start: Int, nameEnd: Int, value: Range<Int>, end: Int) {
        self.name = name
        self.start = UInt32(start)
        self.nameEnd = UInt32(nameEnd)
        valueStart = UInt32(value.lowerBound)
        valueEnd = UInt32(value.upperBound)
        self.end = UInt32(end)
    }

    /// The name as it was sent.
    public var nameRange: Range<Int> { Int(start)..<Int(nameEnd) }
    /// The value without the blanks around it.
    public var valueRange: Range<Int> { Int(valueStart)..<Int(valueEnd) }
    /// The whole line with its CR LF.
    public var lineRange: Range<Int> { Int(start)..<Int(end) }
}
