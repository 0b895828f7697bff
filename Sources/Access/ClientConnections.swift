internal import EventLoop

/// How many connections each client has to a route, on all workers. Callable from every thread.
///
/// It remembers those who are there and nobody else, so it takes no more memory than the connections do.
final class ClientConnections: Sendable {
    private final class Shard: Sendable {
        let counts = Guarded<[ClientKey: Int]>([:])
    }

    /// Several, so that workers seldom wait for each other.
    private let shards = (0..<16).map { _ in Shard() }

    /// Takes a place for one more connection of a client.
    /// - Parameter limit: how many the client may have.
    /// - Returns: nil where it has as many.
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

    /// How many clients have a connection.
    var clientCount: Int { shards.reduce(0) { $0 + $1.counts.withLock { $0.count } } }

    private func shard(of client: ClientKey) -> Shard { shards[Int(client.hash % UInt64(shards.count))] }
}

/// A client's right to one connection. It falls back when nobody has it any more: it can neither be given back twice nor be
/// forgotten.
package final class ClientPermit: Sendable {
    private let client: ClientKey
    private let connections: ClientConnections

    fileprivate init(of client: ClientKey, in connections: ClientConnections) {
        self.client = client
        self.connections = connections
    }

    deinit { connections.giveBack(client) }
}
