internal import CLinux
internal import Glibc

/// The clients that the kernel is to take notice of, as a classic BPF program (socket(7), SO_ATTACH_FILTER) that
/// decides by the source address as an ``AccessList`` does.
///
/// For sockets of one family: packets of the other one pass.
public struct SourceFilter: Sendable {
    let instructions: [sock_filter]

    /// - Returns: nil where the list has more blocks than a filter has room for, some thousand.
    public init?(_ list: AccessList, for family: IPAddress.Family) {
        // Both headers begin at the network layer; in them the source stands here (RFC 791 section 3.1, RFC 8200 section 3).
        let (source, etherType): (CInt, CInt) = family == .v4 ? (12, ETH_P_IP) : (8, ETH_P_IPV6)
        guard let decision = Self.decision(list, for: family, addressAt: SKF_NET_OFF + source) else { return nil }
        instructions =
            [
                .load(CInt(BPF_H), SKF_AD_OFF + SKF_AD_PROTOCOL),
                .jump(CInt(BPF_JEQ), UInt32(etherType), ifSo: 1, otherwise: 0), .pass,
            ] + decision
        if instructions.count > Int(BPF_MAXINSNS) { return nil }
    }

    /// Decides by the address that stands at an offset of what is looked at.
    static func decision(
        _ list: AccessList, for family: IPAddress.Family, addressAt offset: CInt
    ) -> [sock_filter]? {
        let ranges = list.ranges(of: family)
        guard let first = ranges.first, ranges.count <= Int(BPF_MAXINSNS) else { return nil }
        let segments = segments(first.isAdmitted, ranges.dropFirst(), word: 0)
        let program = [.load(CInt(BPF_W), offset)] + search(segments, wordAt: offset, word: 0)
        return program.count <= Int(BPF_MAXINSNS) ? program : nil
    }

    // MARK: Compiling

    /// A part of the values that one word of an address can have, up to where the next segment starts, and what follows.
    private struct Segment {
        enum Answer {
            case verdict(Bool)
            /// The words behind it decide.
            case further([Segment])
        }

        let start: UInt32
        let answer: Answer
    }

    /// Cuts what one word can be where the answer changes.
    /// - Parameters:
    ///   - isAdmitted: what holds before the first change.
    ///   - changes: where another answer begins, ascending; the starts are alike in all words before this one.
    private static func segments(
        _ isAdmitted: Bool, _ changes: ArraySlice<AccessList.Range>, word: Int
    ) -> [Segment] {
        var segments = [Segment(start: 0, answer: .verdict(isAdmitted))]
        var (isAdmitted, rest) = (isAdmitted, changes)
        while let first = rest.first {
            let value = first.start[word]
            let group = rest.prefix { $0.start[word] == value }
            rest = rest.dropFirst(group.count)
            if segments.last?.start == value { segments.removeLast() }
            let last = group.last ?? first
            if group.count == 1, first.start[(word + 1)...].allSatisfy({ $0 == 0 }) {
                segments.append(Segment(start: value, answer: .verdict(first.isAdmitted)))
            } else {
                let inside = Self.segments(isAdmitted, group, word: word + 1)
                segments.append(Segment(start: value, answer: .further(inside)))
                if value < UInt32.max { segments.append(Segment(start: value + 1, answer: .verdict(last.isAdmitted))) }
            }
            isAdmitted = last.isAdmitted
        }
        return segments
    }

    /// A binary search for the segment that the word lies in, which has been loaded.
    private static func search(_ segments: [Segment], wordAt offset: CInt, word: Int) -> [sock_filter] {
        if segments.count > 1 {
            let middle = segments.count / 2
            let below = search(Array(segments[..<middle]), wordAt: offset, word: word)
            let above = search(Array(segments[middle...]), wordAt: offset, word: word)
            let start = segments[middle].start
            // A conditional jump leads over 255 instructions at the most.
            if let distance = UInt8(exactly: below.count) {
                return [.jump(CInt(BPF_JGE), start, ifSo: distance, otherwise: 0)] + below + above
            }
            return [.jump(CInt(BPF_JGE), start, ifSo: 0, otherwise: 1), .jump(over: below.count)] + below + above
        }
        switch segments.first?.answer {
        case .further(let inside):
            let next = offset + CInt((word + 1) * MemoryLayout<UInt32>.size)
            return [.load(CInt(BPF_W), next)] + search(inside, wordAt: offset, word: word + 1)
        case .verdict(false): return [.drop]
        case .verdict(true), nil: return [.pass]
        }
    }
}

extension sock_filter {
    /// Loads what stands at an offset, as a number.
    fileprivate static func load(_ size: CInt, _ offset: CInt) -> sock_filter {
        sock_filter(code: UInt16(CInt(BPF_LD) | size | CInt(BPF_ABS)), jt: 0, jf: 0, k: UInt32(bitPattern: offset))
    }

    /// Compares what was loaded.
    fileprivate static func jump(
        _ comparison: CInt, _ value: UInt32, ifSo: UInt8, otherwise: UInt8
    ) -> sock_filter {
        sock_filter(code: UInt16(CInt(BPF_JMP) | comparison | CInt(BPF_K)), jt: ifSo, jf: otherwise, k: value)
    }

    fileprivate static func jump(over count: Int) -> sock_filter {
        sock_filter(code: UInt16(CInt(BPF_JMP) | CInt(BPF_JA)), jt: 0, jf: 0, k: UInt32(count))
    }

    fileprivate static var drop: sock_filter {
        sock_filter(code: UInt16(CInt(BPF_RET) | CInt(BPF_K)), jt: 0, jf: 0, k: 0)
    }

    /// As many bytes of it as there are.
    fileprivate static var pass: sock_filter {
        sock_filter(code: UInt16(CInt(BPF_RET) | CInt(BPF_K)), jt: 0, jf: 0, k: .max)
    }
}
