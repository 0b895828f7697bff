internal import EventLoop

/// The number of connections that each client has to a route, on all workers. Callable from every thread.
///
/// Remembers only clients that are connected, so it takes no more memory than the connections do.
final class ClientConnections: Sendable {
    private final class Shard: Sendable {
        let counts = Guarded<[ClientKey: Int]>([:])
    }

    /// Parts with a lock each, so that workers seldom wait for each other.
    private let shards = (0..<16).map { _ in Shard() }

    /// Takes a permit for one more connection of a client.
    /// - Parameter limit: the number of connections that the client may have.
    /// - Returns: nil where it has as many already.
    func take(for client: ClientKey, limit: Int) -> ClientPermit? {
        let isTaken = shard(of: client).counts.withLock { counts in
            let count = counts[client, default: 0]
            guard count < limit else { return false }
            counts[client] = count + 1
            return true
        }
        return isTaken ? ClientPermit(of: client, in: self) : nil
    }

    fileprivate func giveBack(_ client: ClientKey) {
        shard(of: client).counts.withLock { counts in
            let count = counts[client, default: 1] - 1
            counts[client] = count == 0 ? nil : count
        }
    }

    /// The number of clients that have a connection.
    var clientCount: Int { shards.reduce(0) { $0 + $1.counts.withLock { $0.count } } }

    private func shard(of client: ClientKey) -> Shard { shards[Int(client.hash % UInt64(shards.count))] }
}

/// A client's permit for one connection. It is given back when its last owner lets go of it, so it can neither be given back twice
/// nor be forgotten.
package final class ClientPermit: Sendable {
    private let client: ClientKey
    private let connections: ClientConnections

    fileprivate init(of client: ClientKey, in connections: ClientConnections) {
        self.client = client
        self.connections = connections
    }

    deinit { connections.giveBack(client) }
}
