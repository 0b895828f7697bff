internal import Network

/// Writing of text as bytes, for lines that are too many to be put together from strings.
extension [UInt8] {
    /// Adds text as it is; a literal is no allocation.
    mutating func append(_ text: String) {
        append(contentsOf: text.utf8)
    }

    /// Adds a number.
    mutating func append(number: some BinaryInteger & LosslessStringConvertible) {
        // A string of up to 15 digits takes no allocation.
        append(contentsOf: String(number).utf8)
    }

    /// Adds a number that is not negative, with zeros in front where it has fewer digits.
    mutating func append(_ number: Int, digits: Int) {
        let text = String(number)
        append(contentsOf: repeatElement(UInt8(ascii: "0"), count: Swift.max(0, digits - text.utf8.count)))
        append(contentsOf: text.utf8)
    }

    /// Adds a duration in milliseconds, to the microsecond: `12.045`.
    mutating func append(milliseconds duration: Duration) {
        let (seconds, attoseconds) = Swift.max(duration, .zero).components
        let microseconds = Int(seconds) * 1_000_000 + Int(attoseconds / 1_000_000_000_000)
        append(number: microseconds / 1000)
        append(".")
        append(microseconds % 1000, digits: 3)
    }

    /// Adds an address as ``SocketAddress/description`` writes it.
    mutating func append(_ address: SocketAddress) {
        guard case .ip(let ip, let port, _) = address, ip.family == .v4 else {
            return append(contentsOf: address.description.utf8)
        }
        append(ip.description)
        append(":")
        append(number: port)
    }

    private mutating func append(hexadecimal byte: UInt8) {
        append(hexadecimalDigit: byte >> 4)
        append(hexadecimalDigit: byte & 0xF)
    }

    private mutating func append(hexadecimalDigit digit: UInt8) {
        append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
    }

    /// Adds text from outside as Apache's logs have it: ASCII, in which quotes, backslashes and all that is not
    /// printable is escaped, so that nothing ends a field or a line, or commands a terminal.
    mutating func append(logItem bytes: some Sequence<UInt8>) {
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                append(UInt8(ascii: "\\"))
                append(byte)
            case 0x20...0x7E: append(byte)
            case 0x08: append("\\b")
            case 0x09: append("\\t")
            case 0x0A: append("\\n")
            case 0x0B: append("\\v")
            case 0x0D: append("\\r")
            default:
                append("\\x")
                append(hexadecimal: byte)
            }
        }
    }

    /// Adds text from outside as a string of JSON with its quotes (RFC 8259 section 7). Control characters are
    /// escaped, C1's too, for the sake of terminals; what is no UTF-8 becomes U+FFFD.
    package mutating func append(json bytes: some Collection<UInt8>) {
        append("\"")
        var rest = bytes[...]
        // Mostly there is nothing to escape: whole stretches are added at once.
        while let place = rest.firstIndex(where: { !Self.isPlain($0) }) {
            append(contentsOf: rest[..<place])
            rest = rest[place...]
            var parser = Unicode.UTF8.ForwardParser()
            var iterator = rest.makeIterator()
            switch parser.parseScalar(from: &iterator) {
            case .valid(let encoded):
                append(json: Unicode.UTF8.decode(encoded), encoded)
                rest = rest.dropFirst(encoded.count)
            case .error(let length):
                append("\\ufffd")
                rest = rest.dropFirst(length)
            case .emptyInput: rest = rest.dropFirst()
            }
        }
        append(contentsOf: rest)
        append("\"")
    }

    /// Whether the byte is a character of ASCII that stands for itself in quotes.
    private static func isPlain(_ byte: UInt8) -> Bool {
        0x20...0x7E ~= byte && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    private mutating func append(json scalar: Unicode.Scalar, _ encoded: Unicode.UTF8.EncodedScalar) {
        switch scalar {
        case "\"": append("\\\"")
        case "\\": append("\\\\")
        case "\n": append("\\n")
        case "\r": append("\\r")
        case "\t": append("\\t")
        case _ where scalar.value < 0x20 || 0x7F...0x9F ~= scalar.value:
            append("\\u00")
            append(hexadecimal: UInt8(scalar.value))
        default: append(contentsOf: encoded)
        }
    }
}
