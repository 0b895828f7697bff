import EventLoop
import Network
import Testing

@testable import Access

/// Token buckets for any number of clients, in bounded memory.
@Suite struct ClientRatesTests {
    private static func client(_ number: Int) -> ClientKey { ClientKey(.v4(UInt32(number))) }

    /// One bucket, done as in a textbook: tokens that come with time, up to as many as fit.
    private struct Reference {
        let interval: Int64
        let burst: Int
        private var tokens: Double
        private var last: Int64

        init(_ limit: ClientRates.Limit, at now: Int64) {
            interval = limit.interval
            burst = limit.burst
            tokens = Double(limit.burst)
            last = now
        }

        mutating func take(at now: Int64) -> Bool {
            tokens = min(Double(burst), tokens + Double(now - last) / Double(interval))
            last = now
            guard tokens >= 1 - 1e-9 else { return false }
            tokens -= 1
            return true
        }
    }

    @Test func agreesWithTheTextbook() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<50 {
            let limit = ClientRates.Limit(
                .random(in: 1...50, using: &random), per: .seconds(1), burst: .random(in: 1...20, using: &random))
            let rates = ClientRates()
            var now = MonotonicTime.now
            var reference = (0..<5).map { _ in Reference(limit, at: now.nanoseconds) }
            for _ in 0..<400 {
                now = now.advanced(by: .milliseconds(Int.random(in: 0...60, using: &random)))
                let number = Int.random(in: 0..<5, using: &random)
                let isGranted = rates.take(for: Self.client(number), limit: limit, at: now)
                guard isGranted == reference[number].take(at: now.nanoseconds) else {
                    Issue.record("\(limit): \(isGranted)")
                    return
                }
            }
        }
    }

    /// A million clients fit into less than 64 MiB, and all but a few are remembered; the same ones later take their slots.
    @Test(.timeLimit(.minutes(2))) func remembersAMillionClients() {
        let rates = ClientRates()
        let limit = ClientRates.Limit(1, per: .seconds(3600), burst: 1)
        let now = MonotonicTime.now
        let count = 1_000_000
        for number in 0..<count { #expect(rates.take(for: Self.client(number), limit: limit, at: now)) }
        #expect(rates.size <= 64 << 20)
        let forgotten = (0..<count).count { rates.take(for: Self.client($0), limit: limit, at: now) }
        #expect(forgotten < count / 50, "\(forgotten)")
        // An hour later all buckets are full again, so their slots are free, and nothing grows.
        let size = rates.size
        let later = now.advanced(by: .seconds(7300))
        for number in 0..<count where number % 4 == 0 {
            #expect(rates.take(for: Self.client(number + count), limit: limit, at: later))
        }
        #expect(rates.size == size)
    }

    /// Any number of clients takes no more memory, and a client that has used up its tokens stays remembered.
    @Test(.timeLimit(.minutes(2))) func forgetsThoseWhoHaveUsedLeast() {
        let rates = ClientRates()
        let limit = ClientRates.Limit(10, per: .seconds(3600), burst: 10)
        let now = MonotonicTime.now
        let greedy = (0..<100).map { Self.client(1 << 30 + $0) }
        for client in greedy { for _ in 0..<10 { #expect(rates.take(for: client, limit: limit, at: now)) } }
        for number in 0..<3_000_000 { _ = rates.take(for: Self.client(number), limit: limit, at: now) }
        #expect(rates.size <= 40 << 20)
        #expect(greedy.allSatisfy { !rates.take(for: $0, limit: limit, at: now) })
    }

    @Test func aFewClientsTakeLittle() {
        let rates = ClientRates()
        let limit = ClientRates.Limit(1, per: .seconds(1), burst: 1)
        for number in 0..<100 { _ = rates.take(for: Self.client(number), limit: limit, at: .now) }
        #expect(rates.size <= 64 << 10)
    }
}
