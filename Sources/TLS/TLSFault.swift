/// Why a certificate, its key, or the clients' authorities can't be used.
public struct TLSFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// The setting at fault.
    public enum Part: Equatable, Sendable {
        case certificate
        case key
        case clientAuthorities
        /// None: the system had no memory for them.
        case memory
    }

    public let part: Part
    /// The pair's index in ``TLSServerSettings/pairs``.
    public let pair: Int
    /// One sentence without an end, with the file's name; nothing of what the file holds.
    public let description: String

    init(_ part: Part, ofPair pair: Int = 0, _ description: String) {
        self.part = part
        self.pair = pair
        self.description = description
    }

    /// There was no memory for what the settings ask for.
    static var outOfMemory: TLSFault { TLSFault(.memory, "there is no memory for the certificates") }
}
