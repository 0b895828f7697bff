/// A scalar's text with the environment's values in place of `${NAME}` and `${NAME:-default}`, as Compose has them.
///
/// It happens after the file has been parsed: whatever a value holds, it stays the text of that one scalar.
struct Interpolation {
    /// The text with the values in it.
    private(set) var text = ""
    /// The variables whose values, or defaults, are in it.
    private(set) var variables: [String] = []

    /// Why the text cannot be used.
    struct Failure: Error {
        let message: String
        /// The part of the text that is at fault, in Unicode scalars.
        let range: Range<Int>
    }

    /// The most bytes that a text may come to, whatever the variables hold; no setting is nearly as long.
    static let longest = 4096

    /// - Throws: ``Failure`` where a `$` begins nothing that is known, and where a variable is not set.
    init(_ raw: String, environment: [String: String]) throws(Failure) {
        guard raw.utf8.contains(UInt8(ascii: "$")) else {
            text = raw
            return
        }
        let scalars = Array(raw.unicodeScalars)
        var index = 0
        while index < scalars.count {
            guard scalars[index] == "$" else {
                text.unicodeScalars.append(scalars[index])
                index += 1
                continue
            }
            let next = index + 1 < scalars.count ? scalars[index + 1] : nil
            if next == "$" {
                text += "$"
                index += 2
            } else if next == "{" {
                let end = scalars[index...].firstIndex(of: "}") ?? scalars.count
                try insert(scalars, index..<end, environment)
                index = end + 1
            } else {
                let meant = next.map(Self.isNameScalar) == true ? Self.braced(scalars, index) : nil
                throw Failure(
                    message: "expected ${NAME}, or $$ for a '$' as it is\(suggestion(meant))", range: index..<index + 1)
            }
            guard text.utf8.count <= Self.longest else {
                throw Failure(
                    message: "the text is longer than \(Self.longest) bytes with its variables",
                    range: 0..<scalars.count)
            }
        }
    }

    /// Appends the value of what stands between `${` and `}`.
    private mutating func insert(
        _ scalars: [Unicode.Scalar], _ range: Range<Int>, _ environment: [String: String]
    ) throws(Failure) {
        let whole = range.lowerBound..<min(range.upperBound + 1, scalars.count)
        guard range.upperBound < scalars.count else {
            throw Failure(message: "'${' without '}'", range: whole)
        }
        let inner = scalars[range].dropFirst(2)
        let name = String(String.UnicodeScalarView(inner.prefix(while: Self.isNameScalar)))
        let rest = inner.dropFirst(name.unicodeScalars.count)
        guard let first = name.unicodeScalars.first, !("0"..."9" ~= first),
            rest.isEmpty || rest.starts(with: [":", "-"])
        else {
            throw Failure(message: "expected ${NAME} or ${NAME:-default}", range: whole)
        }
        let fallback = rest.isEmpty ? nil : String(String.UnicodeScalarView(rest.dropFirst(2)))
        guard fallback?.contains("$") != true else {
            throw Failure(message: "the default in ${NAME:-default} must not contain '$'", range: whole)
        }
        switch (environment[name], fallback) {
        // The default also replaces an empty value, as in a shell.
        case (let value?, _) where !value.isEmpty: text += value
        case (_, let fallback?): text += fallback
        case (_?, nil): break
        case (nil, nil):
            throw Failure(
                message: "the environment variable \(quoted(name)) is not set; "
                    + "${\(name):-default} would say what holds without it", range: whole)
        }
        variables.append(name)
    }

    private static func isNameScalar(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_": true
        default: false
        }
    }

    /// The name behind a `$`, as it should be written.
    private static func braced(_ scalars: [Unicode.Scalar], _ index: Int) -> String {
        "${\(String(String.UnicodeScalarView(scalars[(index + 1)...].prefix(while: isNameScalar).prefix(40))))}"
    }
}
