/// The scheme and authority that an absolute http or https URL, or one without a scheme, begins with.
struct URLStart {
    /// Nil in `//host/path`.
    let scheme: Scheme?
    let authority: Authority
    /// Behind the authority.
    let end: Int

    /// Nil for any other reference, and for one with user information.
    init?(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        var index = range.lowerBound
        if bytes.begins(range, with: Text.httpURL) {
            scheme = .http
            index += Text.httpURL.count
        } else if bytes.begins(range, with: Text.httpsURL) {
            scheme = .https
            index += Text.httpsURL.count
        } else if range.count > 2, bytes[index] == .slash, bytes[index + 1] == .slash {
            scheme = nil
            index += 2
        } else {
            return nil
        }
        let start = index
        while index < range.upperBound, !Self.endsAuthority(bytes[index]) { index += 1 }
        guard let authority = Authority(bytes, start..<index) else { return nil }
        self.authority = authority
        end = index
    }

    /// Browsers read a backslash as a slash.
    private static func endsAuthority(_ byte: UInt8) -> Bool {
        byte == .slash || byte == .backslash || byte == 0x3F || byte == 0x23
    }
}
