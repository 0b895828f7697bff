/// JSON as it is written: the members of objects stay in their order.
indirect enum JSONValue: Sendable {
    case string(String)
    case number(Int)
    case boolean(Bool)
    case array([JSONValue])
    case object([(name: String, value: JSONValue)])

    /// The value that a plain scalar of YAML is: a number, a Boolean or text.
    init(plain text: String) {
        self = wholeNumber(text).map(JSONValue.number) ?? Bool(text).map(JSONValue.boolean) ?? .string(text)
    }

    /// Writes text of several lines, indented by two spaces a level; a value that fits stays in one line.
    func text(indentedBy indentation: Int = 0) -> String {
        let line = self.line
        let isShort = indentation + line.unicodeScalars.count <= 100
        let inner = String(repeating: " ", count: indentation + 2)
        let outer = String(repeating: " ", count: indentation)
        switch self {
        case .array(let items) where !isShort:
            let lines = items.map { inner + $0.text(indentedBy: indentation + 2) }
            return "[\n\(lines.joined(separator: ",\n"))\n\(outer)]"
        case .object(let members) where !members.isEmpty && !(isShort && members.count <= 4 && isFlat):
            let lines = members.map { name, value in
                "\(inner)\(Self.quoted(name)): \(value.text(indentedBy: indentation + 2))"
            }
            return "{\n\(lines.joined(separator: ",\n"))\n\(outer)}"
        case .string, .number, .boolean, .array, .object: return line
        }
    }

    /// Writes text in one line.
    private var line: String {
        switch self {
        case .string(let text): Self.quoted(text)
        case .number(let number): "\(number)"
        case .boolean(let value): "\(value)"
        case .array(let items): "[\(items.map(\.line).joined(separator: ", "))]"
        case .object(let members) where members.isEmpty: "{}"
        case .object(let members):
            "{ \(members.map { "\(Self.quoted($0.name)): \($0.value.line)" }.joined(separator: ", ")) }"
        }
    }

    /// Whether there is no object inside.
    private var isFlat: Bool {
        guard case .object(let members) = self else { return true }
        return members.allSatisfy { if case .object = $0.value { false } else { true } }
    }

    /// A string as JSON writes it (RFC 8259, section 7).
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
