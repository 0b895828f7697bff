internal import Network

/// A part of an address, between two colons.
enum AddressPart: Equatable {
    /// `*`: all addresses of both families.
    case wildcard
    case address(IPAddress, zone: UInt32)
    case localhost
    /// Digits, which may be too many for a port.
    case number(String)
    /// Neither an address nor a number.
    case other(String)

    init(_ text: String, of whole: String) throws(ValueError) {
        if text.isEmpty {
            throw ValueError(
                whole.contains("::")
                    ? "an IPv6 address needs brackets, as in '[::1]:8000'"
                    : "a part of \(quoted(whole)) is empty")
        }
        if text.hasPrefix("[") {
            self = try Self.bracketed(String(text.dropFirst().dropLast()))
        } else if text == "*" {
            self = .wildcard
        } else if text == "localhost" {
            self = .localhost
        } else if text.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) {
            self = .number(text)
        } else if Self.isAddressText(text), let address = IPAddress(text) {
            self = .address(address, zone: 0)
        } else {
            self = .other(text)
        }
    }

    private static func bracketed(_ text: String) throws(ValueError) -> AddressPart {
        let sides = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard isAddressText(sides[0]), let address = IPAddress(sides[0]), address.family == .v6 else {
            throw ValueError("\(quoted("[\(text)]")) is not an IPv6 address")
        }
        if case .v6(0, let low) = address, low >> 32 == 0xFFFF {
            let mapped = IPAddress.v4(UInt32(truncatingIfNeeded: low))
            throw ValueError("\(quoted("[\(text)]")) is an IPv4-mapped IPv6 address; write '\(mapped)'")
        }
        guard sides.count == 2 else { return .address(address, zone: 0) }
        guard address.isLinkLocal, let zone = wholeNumber(sides[1]).flatMap(UInt32.init(exactly:)), zone > 0 else {
            throw ValueError(
                "the zone in \(quoted("[\(text)]")) must be an interface's number behind a link-local address")
        }
        return .address(address, zone: zone)
    }

    private static func isAddressText(_ text: String) -> Bool {
        text.utf8.allSatisfy(isAddressByte)
    }

    /// The part as it can be written.
    var text: String {
        switch self {
        case .wildcard: "*"
        case .address(let address, 0) where address.family == .v4: "\(address)"
        case .address(let address, 0): "[\(address)]"
        case .address(let address, let zone): "[\(address)%\(zone)]"
        case .localhost: "localhost"
        case .number(let text), .other(let text): text
        }
    }

    var isNumber: Bool {
        if case .number = self { true } else { false }
    }

    /// The part as a port.
    /// - Parameter lowest: 0 where the kernel may choose one, otherwise 1.
    func port(lowest: UInt16) throws(ValueError) -> UInt16 {
        guard case .number(let digits) = self else { throw ValueError("expected a port, found \(quoted(text))") }
        guard let port = UInt16(digits), port >= lowest else {
            // Port 0 is for tests; it is not offered.
            throw ValueError("port \(digits.prefix(20)) is not between 1 and 65535")
        }
        return port
    }
}

/// Whether the byte may be in an IP address. Keeps from the C library what it would cut short or take for another
/// notation.
func isAddressByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"):
        true
    default: false
    }
}
