/// A request's method (RFC 9110 section 9).
public enum Method: UInt8, Sendable, CaseIterable {
    case get, head, post, put, delete, options, trace, patch, connect
    /// Any other; names are case-sensitive.
    case other

    /// Whether sending the request twice has the effect of sending it once (RFC 9110 section 9.2.2).
    public var isIdempotent: Bool {
        switch self {
        case .get, .head, .put, .delete, .options, .trace: true
        case .post, .patch, .connect, .other: false
        }
    }

    init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        guard range.count <= 7 else {
            self = .other
            return
        }
        var word: UInt64 = 0
        for index in range { word = word << 8 | UInt64(bytes[index]) }
        self =
            switch word {
            case 0x47_45_54: .get
            case 0x48_45_41_44: .head
            case 0x50_4F_53_54: .post
            case 0x50_55_54: .put
            case 0x44_45_4C_45_54_45: .delete
            case 0x4F_50_54_49_4F_4E_53: .options
            case 0x54_52_41_43_45: .trace
            case 0x50_41_54_43_48: .patch
            case 0x43_4F_4E_4E_45_43_54: .connect
            default: .other
            }
    }
}
