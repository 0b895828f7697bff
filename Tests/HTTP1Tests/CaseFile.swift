import Foundation
import Testing

/// One case of a file in Tests/HTTP1Cases.
struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    /// What stands alone in a line before the bytes: `dechunked`, `answering HEAD`.
    var options: [String] = []
    var bytes: [UInt8] = []
    var outcome = ""

    var testDescription: String { name }

    /// Reads a file of cases.
    static func all(in file: String) -> [Case] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../HTTP1Cases")
        guard let text = try? String(contentsOf: folder.appending(path: file), encoding: .utf8) else { return [] }
        var cases: [Case] = []
        for line in text.split(separator: "\n") {
            if line.hasPrefix("[") {
                cases.append(Case(name: String(line.dropFirst().prefix { $0 != "]" })))
            } else if line.hasPrefix(">|") {
                cases[cases.count - 1].bytes += unescaped(line.dropFirst(2))
            } else if line.hasPrefix(">") {
                cases[cases.count - 1].bytes += unescaped(line.dropFirst(2)) + Array("\r\n".utf8)
            } else if line.hasPrefix("= ") {
                cases[cases.count - 1].outcome = String(line.dropFirst(2))
            } else if !line.hasPrefix("#") {
                cases[cases.count - 1].options.append(String(line))
            }
        }
        return cases
    }

    /// `\r \n \t \0 \\ \xHH`, and `\{N*c}` for N times the character c.
    private static func unescaped(_ text: Substring) -> [UInt8] {
        var rest = text.utf8
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let kind = rest.popFirst() else {
                bytes.append(byte)
                continue
            }
            switch kind {
            case UInt8(ascii: "r"): bytes.append(0x0D)
            case UInt8(ascii: "n"): bytes.append(0x0A)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "0"): bytes.append(0)
            case UInt8(ascii: "x"):
                bytes.append(UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) ?? 0)
                rest.removeFirst(2)
            case UInt8(ascii: "{"):
                let inside = String(decoding: rest.prefix { $0 != UInt8(ascii: "}") }, as: UTF8.self)
                rest.removeFirst(inside.utf8.count + 1)
                let count = Int(inside.dropLast(2)) ?? 0
                bytes += Array(repeating: inside.utf8.last ?? 0, count: count)
            default: bytes.append(kind)
            }
        }
        return bytes
    }

    /// The opposite, as far as outcomes need it; long runs of one letter are written as `\{N*c}`.
    static func escaped(_ bytes: some Collection<UInt8>) -> String {
        var text = ""
        var rest = bytes[...]
        while let byte = rest.first {
            let run = rest.prefix { $0 == byte }.count
            if run > 100 {
                text += "\\{\(run)*\(Unicode.Scalar(byte))}"
                rest = rest.dropFirst(run)
                continue
            }
            rest = rest.dropFirst()
            switch byte {
            case 0x0D: text += "\\r"
            case 0x0A: text += "\\n"
            case 0x09: text += "\\t"
            case 0: text += "\\0"
            case UInt8(ascii: "\\"): text += "\\\\"
            case 0x20..<0x7F: text.unicodeScalars.append(Unicode.Scalar(byte))
            default: text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return text
    }
}

/// The pieces that bytes are fed in.
enum Feeding: Sendable {
    case whole, byteByByte
    /// In two pieces, the first of this length.
    case split(Int)

    /// The lengths that have arrived after each piece.
    func lengths(of count: Int) -> [Int] {
        switch self {
        case .whole: [count]
        case .byteByByte: Array(0...count)
        case .split(let first): [first, count]
        }
    }

    /// All ways for bytes of this count; of very long ones, not every place to split them.
    static func all(for count: Int) -> [Feeding] {
        let step = count < 2000 ? 1 : count / 100
        return [.whole, .byteByByte] + stride(from: 0, through: count, by: step).map { .split($0) }
    }
}
