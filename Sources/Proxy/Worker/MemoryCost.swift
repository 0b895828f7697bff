/// What things take of memory, in bytes and measured, the kernel's share included; a little more than that, so that what is given
/// out between two looks is never more than there is.
enum MemoryCost {
    /// A client's connection, with the one to the app: some 1.5 kB of ours, and 6 of the kernel's.
    static let connection = 10 << 10
    /// What the kernel holds of a client's bytes, where that counts, before the next look shows it: a slow reader's
    /// first 64 KiB.
    static let buffers = 64 << 10
    /// How much the kernel may hold in each direction of a connection where that counts, when memory is tight, and when it is
    /// short.
    static let tightBuffers = 32 << 10
    static let criticalBuffers = 8 << 10
    /// From the first words of TLS on: what OpenSSL has in the middle of a handshake.
    static let handshake = 48 << 10
    /// A request that is under way: its parsers and their tables.
    static let exchange = 4 << 10
    /// A flow of datagrams: a socket to the app and an entry in the table.
    static let flow = 6 << 10
}
