/// The clients that may come in, by address: blocks that are allowed, and blocks that are denied.
///
/// The block with the longest prefix that holds an address decides; where one is both allowed and denied, it is denied. An
/// address in none of them may come in where nothing is allowed by name. An IPv4-mapped IPv6 address counts as IPv4.
///
/// However many blocks there are, a question is one binary search, and takes no memory.
public struct AccessList: Sendable, Equatable {
    public let allow: [CIDR]
    public let deny: [CIDR]

    /// The address space of each family, cut where the answer changes.
    private let v4: AddressRanges<UInt32>
    private let v6: AddressRanges<UInt128>

    public init(allow: [CIDR] = [], deny: [CIDR] = []) {
        self.allow = allow
        self.deny = deny
        let admitsOthers = allow.isEmpty
        v4 = AddressRanges(
            allow: allow.compactMap(\.v4Range), deny: deny.compactMap(\.v4Range), admitsOthers: admitsOthers)
        v6 = AddressRanges(
            allow: allow.compactMap(\.v6Range), deny: deny.compactMap(\.v6Range), admitsOthers: admitsOthers)
    }

    /// Whether nobody is kept out.
    public var admitsEverybody: Bool { allow.isEmpty && deny.isEmpty }

    /// Whether this address may come in.
    public func admits(_ address: IPAddress) -> Bool {
        switch address.unmapped {
        case .v4(let bits): v4.admits(bits)
        case .v6(let high, let low): v6.admits(UInt128(high) << 64 | UInt128(low))
        }
    }

    /// Addresses that follow each other and of which the same holds, up to where the next range starts.
    struct Range: Equatable {
        /// In words, the most significant first: one for IPv4, four for IPv6.
        let start: [UInt32]
        let isAdmitted: Bool
    }

    /// The address space of a family; the first range starts at its beginning.
    func ranges(of family: IPAddress.Family) -> [Range] {
        switch family {
        case .v4: v4.all { [$0] }
        case .v6: v6.all { start in [96, 64, 32, 0].map { UInt32(truncatingIfNeeded: start >> $0) } }
        }
    }

    /// Whether this client may come in; one on a Unix socket has no address, and may.
    public func admits(_ client: SocketAddress) -> Bool {
        client.ipAddress.map { admits($0) } ?? true
    }
}

/// An address space in ranges that follow each other, each admitted or not.
private struct AddressRanges<Address: FixedWidthInteger & UnsignedInteger & Sendable>: Sendable, Equatable {
    /// The beginnings of the ranges, ascending; the first one is 0.
    private var starts: [Address] = [0]
    /// Whether the range at the same index is admitted.
    private var verdicts: [Bool]

    init(allow: [ClosedRange<Address>], deny: [ClosedRange<Address>], admitsOthers: Bool) {
        verdicts = [admitsOthers]
        // Blocks lie within each other or apart. With a block before those within it, and of the same block the denial
        // last, what comes later decides.
        let blocks = allow.map { (range: $0, isAllowed: true) } + deny.map { (range: $0, isAllowed: false) }
        let sorted = blocks.sorted { left, right in
            if left.range.lowerBound != right.range.lowerBound { return left.range.lowerBound < right.range.lowerBound }
            if left.range.upperBound != right.range.upperBound { return left.range.upperBound > right.range.upperBound }
            return left.isAllowed && !right.isAllowed
        }
        // The blocks that the present address lies in, the innermost last.
        var around: [(range: ClosedRange<Address>, isAllowed: Bool)] = []
        func leave() {
            let end = around.removeLast().range.upperBound
            // Nothing follows the last address.
            if end < Address.max { begin(at: end + 1, around.last?.isAllowed ?? admitsOthers) }
        }
        for block in sorted {
            while let innermost = around.last, innermost.range.upperBound < block.range.lowerBound { leave() }
            begin(at: block.range.lowerBound, block.isAllowed)
            around.append(block)
        }
        while !around.isEmpty { leave() }
    }

    /// Addresses are never less than those before.
    private mutating func begin(at start: Address, _ isAdmitted: Bool) {
        if starts.last == start {
            starts.removeLast()
            verdicts.removeLast()
        }
        if verdicts.last == isAdmitted { return }
        starts.append(start)
        verdicts.append(isAdmitted)
    }

    func all(inWords words: (Address) -> [UInt32]) -> [AccessList.Range] {
        zip(starts, verdicts).map { AccessList.Range(start: words($0), isAdmitted: $1) }
    }

    func admits(_ address: Address) -> Bool {
        // The first range that begins behind the address.
        var (low, high) = (0, starts.count)
        while low < high {
            let middle = (low + high) / 2
            if starts[middle] <= address { low = middle + 1 } else { high = middle }
        }
        return verdicts[low - 1]
    }
}

extension CIDR {
    /// Its addresses; nil for a block of the other family.
    fileprivate var v4Range: ClosedRange<UInt32>? {
        guard case .v4(let first) = base else { return nil }
        // A smart shift: one as wide as the type gives 0.
        return first...(first | UInt32.max >> UInt32(prefixLength))
    }

    /// Likewise.
    fileprivate var v6Range: ClosedRange<UInt128>? {
        guard case .v6(let high, let low) = base else { return nil }
        let first = UInt128(high) << 64 | UInt128(low)
        return first...(first | UInt128.max >> UInt128(prefixLength))
    }
}
