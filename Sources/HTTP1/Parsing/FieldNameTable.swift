/// All known names by their hash.
final class FieldNameTable: Sendable {
    static let shared = FieldNameTable()

    private struct Slot: Sendable {
        var token: FoldedToken
        var name: FieldName
    }

    /// Four times as many slots as names, so that the first one looked at mostly decides.
    private static let slotBits: UInt64 = 8
    private let slots: [Slot]
    /// The first two words of "x-forwarded-", and the part of the second that belongs to it.
    private let forwardedPrefix = FoldedToken("x-forwarded-")
    private let forwardedMask: UInt64 = 0xFFFF_FFFF
    /// Likewise for "x-client-cert".
    private let certificatePrefix = FoldedToken("x-client-cert")
    private let certificateMask: UInt64 = 0xFF_FFFF_FFFF

    private init() {
        var slots = Array(
            repeating: Slot(token: FoldedToken(""), name: .other), count: 1 << Int(Self.slotBits))
        for name in FieldName.allCases {
            guard let text = name.text else { continue }
            let token = FoldedToken(text)
            var index = Self.index(token)
            while slots[index].name != .other { index = (index + 1) & (slots.count - 1) }
            slots[index] = Slot(token: token, name: name)
        }
        self.slots = slots
    }

    @inline(__always)
    private static func index(_ token: FoldedToken) -> Int {
        Int(truncatingIfNeeded: token.hash >> (64 - slotBits))
    }

    @inline(__always)
    func name(of token: FoldedToken) -> FieldName {
        var index = Self.index(token)
        while slots[index].name != .other {
            if slots[index].token == token { return slots[index].name }
            index = (index &+ 1) & (slots.count &- 1)
        }
        return rareName(of: token)
    }

    private func rareName(of token: FoldedToken) -> FieldName {
        if token.length > forwardedPrefix.length, token.words.0 == forwardedPrefix.words.0,
            token.words.1 & forwardedMask == forwardedPrefix.words.1
        {
            return .forwardedOther
        }
        if token.length >= certificatePrefix.length, token.words.0 == certificatePrefix.words.0,
            token.words.1 & certificateMask == certificatePrefix.words.1
        {
            return .clientCertificate
        }
        guard let hyphenated = token.hyphenated else { return .other }
        return name(of: hyphenated) == .other ? .other : .underscored
    }
}
