/// Counts of a route's datagrams since the start, on one worker or, added up, on all.
///
/// A worker's own is written by its thread only.
public struct DatagramCounters: Sendable, Equatable {
    /// Flows that were begun.
    public var flows: UInt64 = 0
    public var endedFlows: UInt64 = 0
    /// The ended flows whose datagram the app's kernel has refused (ICMP), since nobody listened.
    public var refusedFlows: UInt64 = 0
    /// The ended flows that made room for a new client.
    public var displacedFlows: UInt64 = 0
    /// The datagrams and bytes that the kernel has taken, toward the app and toward the clients.
    public var datagramsToApp: UInt64 = 0
    public var bytesToApp: UInt64 = 0
    public var datagramsToClients: UInt64 = 0
    public var bytesToClients: UInt64 = 0
    public var dropped = Dropped()

    public init() {}

    /// Datagrams that came and were not carried on, by their causes.
    public struct Dropped: Sendable, Equatable {
        /// Of clients that may not come in.
        public var denied: UInt64 = 0
        /// Of new clients when there were as many flows as there may be.
        public var noPlace: UInt64 = 0
        /// Of new clients while no more are taken.
        public var draining: UInt64 = 0
        /// The system gave no socket for a flow.
        public var noSocket: UInt64 = 0
        /// Nobody listened at the app's addresses.
        public var refused: UInt64 = 0
        /// Too long to be received in one piece.
        public var cutOff: UInt64 = 0
        /// The kernel had no room for them where they were to be received.
        public var overflowed: UInt64 = 0
        /// The system did not take them: a full buffer, no way there, too long for it.
        public var unsentToApp: UInt64 = 0
        public var unsentToClient: UInt64 = 0

        public init() {}

        /// All of them.
        public var total: UInt64 {
            denied + noPlace + draining + noSocket + refused + cutOff + overflowed + unsentToApp + unsentToClient
        }

        mutating func add(_ other: Dropped) {
            denied += other.denied
            noPlace += other.noPlace
            draining += other.draining
            noSocket += other.noSocket
            refused += other.refused
            cutOff += other.cutOff
            overflowed += other.overflowed
            unsentToApp += other.unsentToApp
            unsentToClient += other.unsentToClient
        }
    }

    /// Adds what another worker has counted.
    public mutating func add(_ other: DatagramCounters) {
        flows += other.flows
        endedFlows += other.endedFlows
        refusedFlows += other.refusedFlows
        displacedFlows += other.displacedFlows
        datagramsToApp += other.datagramsToApp
        bytesToApp += other.bytesToApp
        datagramsToClients += other.datagramsToClients
        bytesToClients += other.bytesToClients
        dropped.add(other.dropped)
    }
}

/// The account of the relays of one worker's route. Belongs to the worker's thread.
public final class DatagramAccount {
    public var counters = DatagramCounters()

    public init() {}
}
