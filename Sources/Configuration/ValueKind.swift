/// Why a text is no value of a kind, as a message without its place.
struct ValueError: Error, Equatable {
    let message: String

    init(_ message: String) {
        self.message = message
    }
}

/// A kind of value that is written as text: in the file, the environment and the command line alike.
struct ValueKind<Value: Sendable>: Sendable {
    /// What to write, in words: `a duration such as 10s`.
    let expected: String
    /// What stands for the value in `--help`.
    let placeholder: String
    /// All the texts there are, where they can be listed.
    let choices: [String]
    /// Nil for a text that is nothing of the kind; throws where the text deserves a message of its own.
    private let parse: @Sendable (String) throws(ValueError) -> Value?
    /// The text that reads as this value.
    let write: @Sendable (Value) -> String

    init(
        _ expected: String, placeholder: String, choices: [String] = [],
        parse: @escaping @Sendable (String) throws(ValueError) -> Value?,
        write: @escaping @Sendable (Value) -> String
    ) {
        self.expected = expected
        self.placeholder = placeholder
        self.choices = choices
        self.parse = parse
        self.write = write
    }

    func read(_ text: String) throws(ValueError) -> Value {
        if let value = try parse(text) { return value }
        let suggestion = nearestName(to: text, among: choices).map { "; did you mean \(quoted($0))?" } ?? ""
        throw ValueError("expected \(expected), found \(quoted(text))\(suggestion)")
    }
}

/// A number without sign, as digits only.
func wholeNumber(_ text: String) -> Int? {
    text.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 } ? Int(text) : nil
}

extension ValueKind {
    /// One of the words of an enumeration.
    static func choice() -> ValueKind
    where Value: RawRepresentable<String> & CaseIterable {
        let choices = Value.allCases.map(\.rawValue)
        return ValueKind(
            listed(choices), placeholder: choices.joined(separator: "|"), choices: choices,
            parse: { Value(rawValue: $0) }, write: \.rawValue)
    }
}

extension ValueKind<Bool> {
    static var boolean: ValueKind {
        ValueKind(
            "true or false", placeholder: "true|false", choices: ["true", "false"], parse: { Bool($0) },
            write: { "\($0)" })
    }
}

extension ValueKind<Int> {
    static func number(_ range: ClosedRange<Int>) -> ValueKind {
        ValueKind(
            "a number from \(range.lowerBound) to \(range.upperBound)", placeholder: "NUMBER",
            parse: { text in wholeNumber(text).flatMap { range.contains($0) ? $0 : nil } }, write: { "\($0)" })
    }
}

extension ValueKind<Int?> {
    /// A number, or none at all.
    static func limit(_ range: ClosedRange<Int>) -> ValueKind {
        ValueKind(
            "unlimited or a number from \(range.lowerBound) to \(range.upperBound)", placeholder: "unlimited|NUMBER",
            choices: ["unlimited"],
            parse: { text in
                if text == "unlimited" { return .some(nil) }
                return wholeNumber(text).flatMap { range.contains($0) ? .some($0) : nil }
            }, write: { $0.map { "\($0)" } ?? "unlimited" })
    }
}

extension ValueKind<WorkerCount> {
    static var workers: ValueKind {
        ValueKind(
            "auto or a number from 1 to \(WorkerCount.most)", placeholder: "auto|NUMBER",
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
            "a name of 1 to \(longest) characters", placeholder: "NAME",
            parse: { text throws(ValueError) in
                let isPrintable = text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
                guard isPrintable else { throw ValueError("a name must not contain control characters") }
                return 1...longest ~= text.unicodeScalars.count ? text : nil
            }, write: \.self)
    }
}
