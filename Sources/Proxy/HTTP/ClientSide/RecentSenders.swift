internal import HTTP1
internal import Network

/// The clients that came last as the app is told of them, kept by their addresses and schemes: a browser comes with
/// several connections, and a proxy before us with all of them.
struct RecentSenders {
    private var slots: [(address: IPAddress, sender: Sender)?] = Array(repeating: nil, count: 1 << slotBits)

    /// Few, so that a crowd costs no more memory than its connections do.
    private static let slotBits: UInt64 = 5

    /// - Parameter make: called where the client is not among them.
    mutating func sender(_ address: IPAddress, scheme: Scheme, _ make: () -> Sender) -> Sender {
        let slot = Self.slot(of: address)
        if let known = slots[slot], known.address == address, known.sender.scheme == scheme { return known.sender }
        let sender = make()
        slots[slot] = (address, sender)
        return sender
    }

    /// Addresses that differ in a few bits have different slots, mostly (Fibonacci hashing).
    private static func slot(of address: IPAddress) -> Int {
        let bits =
            switch address {
            case .v4(let bits): UInt64(bits)
            case .v6(let high, let low): high ^ low
            }
        return Int((bits &* 0x9E37_79B9_7F4A_7C15) >> (64 - slotBits))
    }
}
