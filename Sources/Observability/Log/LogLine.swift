/// One line of the log, before it is written down in some format.
struct LogLine: Sendable {
    var time: Timestamp
    let level: LogLevel
    let part: LogPart
    private(set) var message: String
    private(set) var fields: Log.Fields
    /// Whether the message is several lines of text.
    var isReport = false
    /// Set where the line stands for others that were left out.
    var repeats: Repeats?

    /// The repeats that were left out.
    struct Repeats {
        let count: Int
        /// For how long it was counted.
        let seconds: Int

        /// The field's text behind a sentence.
        var inWords: String { "(said \(count) more \(count == 1 ? "time" : "times") in the last \(seconds) s)" }
    }

    init(
        time: Timestamp, level: LogLevel, part: LogPart, message: String, fields: Log.Fields, isReport: Bool = false
    ) {
        self.time = time
        self.level = level
        self.part = part
        self.message = message
        self.fields = fields
        self.isReport = isReport
    }

    /// The route that the line is about.
    var route: String? {
        for case ("route", .text(let name)) in fields { return name }
        return nil
    }

    /// The number of bytes of text that it holds.
    var size: Int {
        fields.reduce(message.utf8.count) { size, field in
            if case .text(let text) = field.value { size + text.utf8.count } else { size }
        }
    }

    /// The line, with only the beginning of the message where it is larger.
    func shortened(to limit: Int) -> LogLine {
        guard size > limit else { return self }
        var line = self
        line.fields = [:]
        if message.utf8.count > limit {
            line.message = String(decoding: message.utf8.prefix(limit), as: UTF8.self) + "…"
        }
        return line
    }

    /// The line without its newline, whatever its parts contain. A report in text is several.
    func rendered(as format: LogFormat) -> String {
        switch format {
        case .text:
            guard isReport else { return prefix + sentence }
            let lines = message.split(separator: "\n")
            // Repeats that are only counted need no fields.
            guard let repeats else {
                return lines.map { prefix + escaped(String($0), quoted: false) }.joined(separator: "\n")
            }
            return prefix + escaped(String(lines.first ?? ""), quoted: false) + " " + repeats.inWords
        case .json: return json
        }
    }

    /// `2026-11-21T09:07:15.042Z info     `
    private var prefix: String {
        "\(time) \(level.rawValue)"
            + String(repeating: " ", count: LogLevel.warning.rawValue.count - level.rawValue.count + 1)
    }

    /// What the text format has behind time and level: `listening  address=0.0.0.0:8080 route=web`. A report is as many lines
    /// as it was.
    var sentence: String {
        guard !isReport else {
            return message.split(separator: "\n").map { escaped(String($0), quoted: false) }.joined(separator: "\n")
        }
        var line = escaped(message, quoted: false)
        if let repeats { line += " " + repeats.inWords }
        for (name, value) in fields {
            switch value {
            case .number(let number): line += " \(name)=\(number)"
            case .text(let text): line += " \(name)=" + (isPlain(text) ? text : escaped(text, quoted: true))
            case .nothing: break
            }
        }
        return line
    }

    private var json: String {
        var line = #"{"time":"\#(time)","level":"\#(level.rawValue)","part":"\#(part.rawValue)""#
        line += #","message":\#(escaped(message, quoted: true))"#
        if let repeats { line += #","repeats":\#(repeats.count),"seconds":\#(repeats.seconds)"# }
        for (name, value) in fields {
            let key = "," + escaped(name, quoted: true) + ":"
            switch value {
            case .number(let number): line += key + String(number)
            case .text(let text): line += key + escaped(text, quoted: true)
            case .nothing: break
            }
        }
        return line + "}"
    }

    /// Whether a value can stand in a text line without quotes.
    private func isPlain(_ text: String) -> Bool {
        !text.isEmpty && text.unicodeScalars.allSatisfy { $0 != " " && $0 != "\"" && !isControl($0) }
    }

    /// C0, delete and C1: U+009B alone makes a terminal do things (ECMA-48 section 5.3).
    private func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || 0x7F...0x9F ~= scalar.value
    }

    /// Control characters as JSON writes them (RFC 8259 section 7), so that nothing breaks a line in two or commands
    /// a terminal.
    private func escaped(_ text: String, quoted: Bool) -> String {
        var result = quoted ? "\"" : ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"" where quoted: result += "\\\""
            case "\\" where quoted: result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where isControl(scalar):
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return quoted ? result + "\"" : result
    }
}
