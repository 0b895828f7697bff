import Testing

@testable import Proxy

@Suite struct ConnectionIDsTests {
    @Test func areOfOneKindAndNeverTheSame() {
        var (one, other) = (ConnectionIDs(), ConnectionIDs())
        let ids = (0..<100).flatMap { _ in [one.take(), other.take()] }.map { String(decoding: $0, as: UTF8.self) }
        #expect(Set(ids).count == 200)
        #expect(ids.allSatisfy { $0.count == 32 && $0.allSatisfy { "0123456789abcdef".contains($0) } })
    }
}
