/// The body's framing and the connection's future, gathered from a head field by field.
struct MessageFraming {
    private(set) var length: UInt64?
    private(set) var isChunked = false
    private(set) var connection = ConnectionOptions()
    private(set) var hasTransferEncoding = false
    /// See ``RequestHead/authenticatesConnection``.
    private(set) var authenticatesConnection = false

    /// Takes a field in if it is of this kind.
    mutating func add(_ field: HeadField, _ bytes: Span<UInt8>) throws(FramingFault) {
        switch field.name {
        case .contentLength:
            guard length == nil else { throw .repeatedLength }
            length = try Self.length(bytes, field.valueRange)
        case .transferEncoding:
            try addTransferEncoding(bytes, field.valueRange)
        case .connection:
            guard connection.add(bytes, field.valueRange) else { throw .tooManyConnectionOptions }
        case .authorization, .wwwAuthenticate, .proxyAuthorization, .proxyAuthenticate:
            if ConnectionAuthentication.isNamed(in: field.valueRange, of: bytes) { authenticatesConnection = true }
        // True or false alike: an app that says it authenticates connections (MS-NTHT).
        case .persistentAuth: authenticatesConnection = true
        default:
            break
        }
    }

    /// Checks what only all fields together tell.
    func check(_ version: Version) throws(FramingFault) {
        guard hasTransferEncoding else { return }
        if length != nil { throw .lengthAndTransferEncoding }
        if version == .http10 { throw .transferEncodingInHTTP10 }
    }

    /// Exactly `chunked`, in any case, is understood: no list, no parameter, no second field.
    private mutating func addTransferEncoding(_ bytes: Span<UInt8>, _ value: Range<Int>) throws(FramingFault) {
        if hasTransferEncoding { throw .repeatedTransferEncoding }
        hasTransferEncoding = true
        if FoldedToken(bytes, value) == .chunked {
            isChunked = true
            return
        }
        var elements = ListElements(value)
        var codings = 0
        var chunked = 0
        var endsWithChunked = false
        while let element = elements.next(in: bytes) {
            endsWithChunked = FoldedToken(bytes, element) == .chunked
            codings += 1
            chunked += endsWithChunked ? 1 : 0
        }
        // A list that is `chunked` but for empty elements, or says it twice, is a way to make two parsers disagree.
        throw endsWithChunked && chunked == 1 && codings > 1 ? .unknownCoding : .notChunkedLast
    }

    private static func length(_ bytes: Span<UInt8>, _ value: Range<Int>) throws(FramingFault) -> UInt64 {
        guard !value.isEmpty else { throw .invalidLength }
        var length: UInt64 = 0
        var overflows = false
        for index in value {
            let byte = bytes[index]
            guard byte.isDigit else { throw .invalidLength }
            if length > (UInt64(Int64.max) - UInt64(byte - .zero)) / 10 {
                overflows = true
            } else {
                length = length * 10 + UInt64(byte - .zero)
            }
        }
        if overflows { throw .lengthTooLarge }
        return length
    }
}
