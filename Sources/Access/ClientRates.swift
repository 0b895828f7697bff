internal import EventLoop

/// Limits how fast each client makes new connections to a route, on all workers: a token bucket for each, in bounded memory.
/// Callable from every thread.
///
/// A bucket is one point in time: when it will be full again. Taking a token moves that by the time in which one token comes, and
/// a token is there as long as that point is not too far off. A full bucket equals none at all, so the table needs no cleaning: the
/// time passes, and the slot is free.
///
/// A client's hash leads to eight slots. Where all eight are taken, the table doubles, up to ``mostClients``. Then the newcomer
/// gets the slot of the fullest bucket, whose client loses least: a client that has used up its tokens stays remembered, however
/// many others come that ask once.
final class ClientRates: Sendable {
    /// The measures of a token bucket.
    struct Limit: Sendable, Equatable {
        /// The time in which one token comes, in nanoseconds.
        let interval: Int64
        /// The number of tokens that fit.
        let burst: Int

        /// - Parameters:
        ///   - count: the number of tokens that come in each period; at least 1.
        ///   - burst: the number that fit; at least 1.
        init(_ count: Int, per period: Duration, burst: Int) {
            interval = max(1, Int64(period / .nanoseconds(1)) / Int64(count))
            self.burst = burst
        }

        /// The longest time until a bucket is full with which it still has a token, in nanoseconds.
        fileprivate var reach: Int64 { interval * Int64(burst - 1) }
    }

    /// The number of clients that are remembered at most, which takes 32 MiB.
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

    /// The number of bytes that the buckets take.
    var size: Int { parts.reduce(0) { $0 + $1.shard.withLock { $0.size } } }

    private struct Shard {
        static let ways = 8
        static let mostBuckets = 1 << 15

        private struct Bucket {
            var client: UInt64 = 0
            /// The time at which it will be full, in nanoseconds of the monotonic clock; a slot whose time has passed is free.
            var full: Int64 = 0
        }

        private var buckets = [Bucket](repeating: Bucket(), count: Self.ways)

        var size: Int { buckets.capacity * MemoryLayout<Bucket>.stride }

        mutating func take(for client: UInt64, hash: Int, _ limit: Limit, at time: MonotonicTime) -> Bool {
            let now = time.nanoseconds
            let first = slot(of: hash, among: buckets.count)
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

        /// Returns the first of the slots that a hash leads to.
        private func slot(of hash: Int, among count: Int) -> Int {
            (hash & (count / Self.ways - 1)) * Self.ways
        }

        /// Doubles the table, without buckets that are full again. The clients of each slot part in two, so all find room.
        private mutating func grow(at now: Int64) {
            var larger = [Bucket](repeating: Bucket(), count: buckets.count * 2)
            for bucket in buckets where bucket.full > now {
                let hash = Int(truncatingIfNeeded: ClientKey(bits: bucket.client).hash / UInt64(ClientRates.shardCount))
                var index = slot(of: hash, among: larger.count)
                while larger[index].full != 0 { index += 1 }
                larger[index] = bucket
            }
            buckets = larger
        }
    }
}
