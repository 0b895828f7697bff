/// The users who may connect to a Unix socket by its file: connecting takes the right to write to it (unix(7)).
public struct UnixSocketAccess: Hashable, Sendable {
    /// The permission bits, 0o000 to 0o777.
    public var mode: UInt16
    /// The owner's name or number; nil for the user that the process runs as.
    public var owner: String?
    /// The group's name or number; nil for the process's, or the folder's where that says so.
    public var group: String?

    public init(mode: UInt16 = 0o660, owner: String? = nil, group: String? = nil) {
        self.mode = mode
        self.owner = owner
        self.group = group
    }

    /// The same user and nobody else.
    public static let sameUser = UnixSocketAccess(mode: 0o600)
}
