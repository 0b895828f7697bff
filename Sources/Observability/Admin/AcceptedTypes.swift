/// The types that a client accepts, by its Accept field (RFC 9110 section 12.5.1).
struct AcceptedTypes {
    private struct Range {
        let type: String
        let version: String?
        let quality: Double
    }

    private let ranges: [Range]

    /// - Parameter field: its value; nil where there is none, which accepts everything. What makes no sense in it is left out.
    init(_ field: String?) {
        ranges = (field ?? "*/*").prefix(Self.longest).split(separator: ",").compactMap { item in
            let parts = item.split(separator: ";").map { $0.trimmed.lowercased() }
            guard let type = parts.first, type.contains("/") else { return nil }
            var (quality, version) = (1.0, String?.none)
            for parameter in parts.dropFirst() {
                if parameter.hasPrefix("q=") {
                    guard let value = Double(parameter.dropFirst(2)), 0...1 ~= value else { return nil }
                    quality = value
                } else if parameter.hasPrefix("version=") {
                    version = parameter.dropFirst("version=".count).filter { $0 != "\"" }
                }
            }
            return Range(type: type, version: version, quality: quality)
        }
    }

    /// Longer ones are read up to here.
    private static let longest = 4096

    /// The quality of a type, from 0 to 1, by the range that names it most closely; 0 where none does.
    /// - Parameter versions: those that there are; a range that asks for another one does not count.
    func quality(of type: String, version versions: [String] = []) -> Double {
        let prefix = type.prefix { $0 != "/" }
        for name in [type, "\(prefix)/*", "*/*"] {
            let fitting = ranges.filter { range in
                range.type == name && (range.version.map { versions.contains($0) } ?? true)
            }
            if let best = fitting.map(\.quality).max() { return best }
        }
        return 0
    }

    /// Whether the client names this very type.
    func names(_ type: String) -> Bool {
        ranges.contains { $0.type == type }
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var text = self
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
