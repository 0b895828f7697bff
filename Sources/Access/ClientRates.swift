internal import EventLoop

/// How fast each client may make new connections to a route, on all workers: a token bucket for each, in bounded memory.
/// Callable from every thread.
///
/// A bucket is one moment: when it will be full again. A token moves that by the time that a token takes to come, and there is
/// one as long as the moment is not too far off. A bucket that is full is as good as one that was never there, so nobody
/// looks after the table: the moment passes, and the place is free.
///
/// A client's place is one of eight that its hash leads to. The table doubles, up to ``mostClients``, where eight are not
/// enough; and then the newcomer gets the place of the one whose bucket is the fullest, who loses least. Who has used up its
/// tokens stays, however many come that ask once.
final class ClientRates: Sendable {
    /// A token bucket's measures.
    struct Limit: Sendable, Equatable {
        /// How long a token takes to come, in nanoseconds.
        let interval: Int64
        /// How many tokens fit.
        let burst: Int

        /// - Parameters:
        ///   - count: how many tokens come in each period; at least 1.
        ///   - burst: how many fit; at least 1.
        init(_ count: Int, per period: Duration, burst: Int) {
            interval = max(1, Int64(period / .nanoseconds(1)) / Int64(count))
            self.burst = burst
        }

        /// How far off a bucket's being full may be while it has a token.
        fileprivate var reach: Int64 { interval * Int64(burst - 1) }
    }

    /// How many clients are remembered at most, which takes 32 MiB.
    static let mostClients = shardCount * Shard.mostBuckets

    private final class Part: Sendable {
        let shard = Guarded(Shard())
    }

    private static let shardCount = 64
    private let parts = (0..<shardCount).map { _ in Part() }

    /// Takes a token for a new connection of a client.
    /// - Returns: false where there is none.
    func take(for client: ClientKey, limit: Limit, at now: MonotonicTime) -> Bool {
        let hash = client.hash
        return parts[Int(hash % UInt64(Self.shardCount))].shard.withLock { shard in
            shard.take(for: client.bits, hash: Int(truncatingIfNeeded: hash / UInt64(Self.shardCount)), limit, at: now)
        }
    }

    /// How many bytes the buckets take.
    var size: Int { parts.reduce(0) { $0 + $1.shard.withLock { $0.size } } }

    private struct Shard {
        static let ways = 8
        static let mostBuckets = 1 << 15

        private struct Bucket {
            var client: UInt64 = 0
            /// When it will be full, in nanoseconds of the monotonic clock; what has passed is a free place.
            var full: Int64 = 0
        }

        private var buckets = [Bucket](repeating: Bucket(), count: Self.ways)

        var size: Int { buckets.capacity * MemoryLayout<Bucket>.stride }

        mutating func take(for client: UInt64, hash: Int, _ limit: Limit, at time: MonotonicTime) -> Bool {
            let now = time.nanoseconds
            let first = place(of: hash, among: buckets.count)
            var fullest = first
            for index in first..<first + Self.ways {
                let full = buckets[index].full
                if full > now, buckets[index].client == client {
                    guard full - now <= limit.reach else { return false }
                    buckets[index].full = full + limit.interval
                    return true
                }
                if full < buckets[fullest].full { fullest = index }
            }
            if buckets[fullest].full > now, buckets.count < Self.mostBuckets {
                grow(at: now)
                return take(for: client, hash: hash, limit, at: time)
            }
            buckets[fullest] = Bucket(client: client, full: now + limit.interval)
            return true
        }

        /// The first of the places that a hash leads to.
        private func place(of hash: Int, among count: Int) -> Int {
            (hash & (count / Self.ways - 1)) * Self.ways
        }

        /// Doubles the table, without those that are full again by now. Each place's clients part in two, so all find room.
        private mutating func grow(at now: Int64) {
            var larger = [Bucket](repeating: Bucket(), count: buckets.count * 2)
            for bucket in buckets where bucket.full > now {
                let hash = Int(truncatingIfNeeded: ClientKey(bits: bucket.client).hash / UInt64(ClientRates.shardCount))
                var index = place(of: hash, among: larger.count)
                while larger[index].full != 0 { index += 1 }
                larger[index] = bucket
            }
            buckets = larger
        }
    }
}
