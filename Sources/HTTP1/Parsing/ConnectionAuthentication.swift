/// Schemes that authenticate a connection instead of a request (RFC 4559 section 6, MS-NTHT): whatever comes on such a
/// connection later is taken to be from the same user, without credentials of its own.
///
/// No other registered scheme does so; RFC 9110 section 11 forbids it.
enum ConnectionAuthentication {
    /// The beginnings of the schemes' names: Negotiate, Nego2, NTLM, Kerberos, and variants such as `Negotiate:Kerberos`.
    private static let beginnings = ["nego", "ntlm", "kerberos"].map { Array($0.utf8) }

    /// Whether a list of challenges, or credentials, are of such a scheme.
    ///
    /// A comma in a quoted string counts as one between two challenges. So it may see a scheme where there is none, which
    /// does no harm, but never misses one.
    static func isNamed(in value: Range<Int>, of bytes: Span<UInt8>) -> Bool {
        var elements = ListElements(value)
        while let element = elements.next(in: bytes) {
            for beginning in beginnings where bytes.begins(element, with: beginning) { return true }
        }
        return false
    }
}
