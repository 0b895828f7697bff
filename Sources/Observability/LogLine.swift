/// One line of the log, before it is written down in some format.
struct LogLine {
    let time: Timestamp
    let level: LogLevel
    let message: String
    let fields: Log.Fields

    /// The line without its newline, whatever its parts contain.
    func rendered(as format: LogFormat) -> String {
        switch format {
        case .text: text
        case .json: json
        }
    }

    /// `2026-11-21T09:07:15.042Z info     listening  address=0.0.0.0:8080 route=web`
    private var text: String {
        var line = "\(time) \(level.rawValue)"
        line += String(repeating: " ", count: LogLevel.warning.rawValue.count - level.rawValue.count + 1)
        line += escaped(message, quoted: false)
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
        var line = #"{"time":"\#(time)","level":"\#(level.rawValue)","message":\#(escaped(message, quoted: true))"#
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
