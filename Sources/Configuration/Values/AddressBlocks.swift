internal import Network

extension ValueKind<[CIDR]> {
    static let noBlocks = "none"

    /// Blocks of addresses in one text, with commas or spaces between them; `none` for no block.
    static var blocks: ValueKind {
        ValueKind(
            "none, or address blocks such as 10.0.0.0/8", type: "`none`, address blocks, or a list of these",
            placeholder: "none|CIDR,...",
            schemas: [
                .object([("const", .string(noBlocks))]),
                .pattern("^[0-9A-Fa-f:.]+(/[0-9]{1,3})?([ ,]+[0-9A-Fa-f:.]+(/[0-9]{1,3})?)*$"),
            ],
            parse: { text throws(ValueError) in
                if text == noBlocks { return [] }
                var blocks: [CIDR] = []
                for part in text.split(whereSeparator: { $0 == "," || $0 == " " }) {
                    blocks.append(try block(String(part)))
                }
                return blocks.isEmpty ? nil : blocks
            },
            write: { blocks in
                blocks.isEmpty ? noBlocks : blocks.map(\.description).joined(separator: ", ")
            })
    }

    /// - Throws: ``ValueError`` that says what is wrong with it.
    private static func block(_ text: String) throws(ValueError) -> CIDR {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let first = parts.first, first.utf8.allSatisfy(isAddressByte), let base = IPAddress(first) else {
            throw ValueError("expected an address block such as 10.0.0.0/8, found \(quoted(text))")
        }
        let width = base.family == .v4 ? 32 : 128
        let length = parts.count == 2 ? wholeNumber(parts[1]) : width
        guard let length, 0...width ~= length, parts.last != "" else {
            throw ValueError("expected a prefix of 0 to \(width) bits behind the slash, found \(quoted(text))")
        }
        if case .v6(0, let low) = base, low >> 32 == 0xFFFF, length >= 96 {
            let mapped = CIDR(containing: .v4(UInt32(truncatingIfNeeded: low)), prefixLength: length - 96)
            throw ValueError("\(quoted(text)) is of IPv4-mapped IPv6 addresses; write '\(mapped)'")
        }
        guard let block = CIDR(base: base, prefixLength: length) else {
            let meant = CIDR(containing: base, prefixLength: length)
            throw ValueError("\(quoted(text)) has bits behind its prefix; did you mean '\(meant)'?")
        }
        return block
    }
}
