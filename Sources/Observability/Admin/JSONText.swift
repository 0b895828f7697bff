internal import FoundationEssentials

/// The reports as JSON: names with underscores, the same order each time.
public enum JSONText {
    /// The text of a report.
    /// - Throws: `EncodingError` where a number is none that JSON has.
    public static func encode(_ report: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(report)) + [UInt8(ascii: "\n")]
    }

    /// Reads what ``encode(_:)`` has written.
    public static func decode<Report: Decodable>(_ type: Report.Type, from text: [UInt8]) throws -> Report {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(type, from: Data(text))
    }
}
