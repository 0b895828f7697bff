/// The memory that things take, in bytes, as measured, with the kernel's share; rounded up, so that the sum of what is given
/// out between two looks never exceeds the memory that there is.
enum MemoryCost {
    /// A client's connection with the one to the app: some 1.5 kB of the process's memory, and 6 kB of the kernel's.
    static let connection = 10 << 10
    /// The bytes that the kernel may hold for a client, where they count, before the next look shows them: a slow reader's
    /// first 64 KiB.
    static let buffers = 64 << 10
    /// The bounds on what the kernel holds in each direction of a connection, where that counts, when memory is tight, and when it
    /// is short.
    static let tightBuffers = 32 << 10
    static let criticalBuffers = 8 << 10
    /// The peak of OpenSSL's memory during a handshake.
    static let handshake = 48 << 10
    /// A request that is under way: its parsers and their tables.
    static let exchange = 4 << 10
    /// A flow of datagrams: a socket to the app and an entry in the table.
    static let flow = 6 << 10
}
