/// Why a text is no value of a kind, as a message without its place.
struct ValueError: Error, Equatable {
    let message: String

    init(_ message: String) {
        self.message = message
    }
}

/// A kind of value that is written as text: in the file, the environment and the command line alike.
struct ValueKind<Value: Sendable>: Sendable {
    /// The expected value, in words: `a duration such as 10s`.
    let expected: String
    /// The kind's name in the documentation: `duration`.
    let type: String
    /// The units that are written with a number of the kind; nil where there are none.
    let unit: String?
    /// The placeholder of the value in `--help`.
    let placeholder: String
    /// JSON Schemas, of which a value in the file fits one.
    let schemas: [JSONValue]
    /// Guesses the value that a wrong text was meant to be; nil for no guess.
    private let suggest: @Sendable (String) -> String?
    /// Nil for a text that is nothing of the kind; throws where the text deserves a message of its own.
    let parse: @Sendable (String) throws(ValueError) -> Value?
    /// The text that reads as this value.
    let write: @Sendable (Value) -> String

    init(
        _ expected: String, type: String, unit: String? = nil, placeholder: String, schemas: [JSONValue],
        suggest: @escaping @Sendable (String) -> String? = { _ in nil },
        parse: @escaping @Sendable (String) throws(ValueError) -> Value?,
        write: @escaping @Sendable (Value) -> String
    ) {
        self.expected = expected
        self.type = type
        self.unit = unit
        self.placeholder = placeholder
        self.schemas = schemas
        self.suggest = suggest
        self.parse = parse
        self.write = write
    }

    func read(_ text: String) throws(ValueError) -> Value {
        if let value = try parse(text) { return value }
        throw ValueError("expected \(expected), found \(quoted(text))\(suggestion(suggest(text)))")
    }
}

/// The end of a message that has a better text to offer.
func suggestion(_ text: String?) -> String {
    text.map { "; did you mean \(quoted($0))?" } ?? ""
}

/// A number without sign, as digits only.
func wholeNumber(_ text: String) -> Int? {
    text.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 } ? Int(text) : nil
}

extension ValueKind {
    /// A value, or `auto`, which is nil.
    static func automatic<Wrapped>(_ kind: ValueKind<Wrapped>) -> ValueKind where Value == Wrapped? {
        optional("auto", kind)
    }

    /// A value, or a word that stands for none.
    fileprivate static func optional<Wrapped>(_ word: String, _ kind: ValueKind<Wrapped>) -> ValueKind
    where Value == Wrapped? {
        ValueKind(
            "\(word) or \(kind.expected)", type: "`\(word)` or \(kind.type)", unit: kind.unit,
            placeholder: "\(word)|\(kind.placeholder)", schemas: [.object([("const", .string(word))])] + kind.schemas,
            suggest: { text in nearestName(to: text.lowercased(), among: [word]) ?? kind.suggest(text) },
            parse: { text throws(ValueError) in text == word ? .some(nil) : try kind.parse(text).map { .some($0) } },
            write: { $0.map(kind.write) ?? word })
    }

    /// One of some words.
    /// - Parameter synonyms: what people write instead.
    static func words(
        _ words: [String], type: String? = nil, schemas: [JSONValue]? = nil, synonyms: [String: String] = [:],
        parse: @escaping @Sendable (String) throws(ValueError) -> Value?,
        write: @escaping @Sendable (Value) -> String
    ) -> ValueKind {
        ValueKind(
            listed(words), type: type ?? words.map { "`\($0)`" }.joined(separator: ", "),
            placeholder: words.joined(separator: "|"),
            schemas: schemas ?? [.object([("enum", .array(words.map(JSONValue.string)))])],
            suggest: { text in
                let text = text.lowercased()
                return synonyms[text] ?? nearestName(to: text, among: words)
                    ?? words.first { text.unicodeScalars.count >= 3 && $0.hasPrefix(text) }
            }, parse: parse, write: write)
    }

    /// One of the words of an enumeration.
    static func choice(synonyms: [String: String] = [:]) -> ValueKind
    where Value: RawRepresentable<String> & CaseIterable {
        words(
            Value.allCases.map(\.rawValue), synonyms: synonyms, parse: { Value(rawValue: $0) }, write: \.rawValue)
    }
}

extension ValueKind<Bool> {
    static var boolean: ValueKind {
        words(
            ["true", "false"], schemas: [.object([("type", .string("boolean"))])],
            synonyms: ["yes": "true", "on": "true", "1": "true", "no": "false", "off": "false", "0": "false"],
            parse: { Bool($0) }, write: { "\($0)" })
    }
}

extension ValueKind<Int> {
    static func number(_ range: ClosedRange<Int>) -> ValueKind {
        ValueKind(
            "a number from \(range.lowerBound) to \(range.upperBound)",
            type: "\(range.lowerBound) to \(range.upperBound)", placeholder: "NUMBER",
            schemas: [.integer(range)],
            parse: { text in wholeNumber(text).flatMap { range.contains($0) ? $0 : nil } }, write: { "\($0)" })
    }
}

extension ValueKind<Int?> {
    /// A number, or none at all.
    static func limit(_ range: ClosedRange<Int>) -> ValueKind { optional("unlimited", .number(range)) }
}

extension ValueKind<WorkerCount> {
    static var workers: ValueKind {
        ValueKind(
            "auto or a number from 1 to \(WorkerCount.most)", type: "`auto` or 1 to \(WorkerCount.most)",
            placeholder: "auto|NUMBER",
            schemas: [.object([("const", .string("auto"))]), .integer(1...WorkerCount.most)],
            suggest: { nearestName(to: $0.lowercased(), among: ["auto"]) },
            parse: { text in
                if text == "auto" { return .auto }
                return wholeNumber(text).flatMap { 1...WorkerCount.most ~= $0 ? .count($0) : nil }
            }, write: \.description)
    }
}

extension ValueKind<String> {
    /// A route's name, which must fit into a log line.
    static var name: ValueKind {
        let longest = 100
        return ValueKind(
            "a name of 1 to \(longest) characters", type: "text, 1 to \(longest) characters", placeholder: "NAME",
            schemas: [
                .object([
                    ("type", .string("string")), ("minLength", .number(1)), ("maxLength", .number(longest)),
                    ("pattern", .string("^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*$")),
                ]), .object([("type", .array([.string("number"), .string("boolean")]))]),
            ],
            parse: { text throws(ValueError) in
                guard text.unicodeScalars.allSatisfy(isPrintable) else {
                    throw ValueError("a name must not contain control characters or line separators")
                }
                return 1...longest ~= text.unicodeScalars.count ? text : nil
            }, write: \.self)
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }
}

extension JSONValue {
    /// The schema of a whole number.
    static func integer(_ range: ClosedRange<Int>) -> JSONValue {
        .object([
            ("type", .string("integer")), ("minimum", .number(range.lowerBound)),
            ("maximum", .number(range.upperBound)),
        ])
    }

    /// The schema of text that matches a regular expression (ECMA-262).
    static func pattern(_ pattern: String) -> JSONValue {
        .object([("type", .string("string")), ("pattern", .string(pattern))])
    }
}
