import Access
import Configuration
import EventLoop
import Network
import Testing

@testable import Proxy

/// What a client holds by being there, and that all of it falls back.
@Suite struct ConnectionPermitTests {
    private func refusal(_ bench: SessionBench, isWaitedFor: Bool = true) -> ConnectionPermit.Refusal? {
        do throws(ConnectionPermit.Refusal) {
            _ = try ConnectionPermit(on: bench.route, isWaitedFor: isWaitedFor)
            return nil
        } catch {
            return error
        }
    }

    @Test func theRoutesBoundHolds() throws {
        let bench = try SessionBench { $0.maxConnections = 1 }
        do {
            let permit = try ConnectionPermit(on: bench.route, isWaitedFor: true)
            #expect(permit.route === bench.route && bench.route.permits == 1)
            let first = refusal(bench)
            #expect(first?.bound == .route && first?.isNews == true)
            #expect(refusal(bench)?.isNews == false)
            #expect(bench.told.workers.withLock { $0 } == [])
        }
        // Once there is room, who was refused is told.
        #expect(bench.told.workers.withLock { $0 } == [7] && bench.route.permits == 0)
        #expect(refusal(bench) == nil)
    }

    @Test func theDescriptorsBoundHolds() throws {
        let bench = try SessionBench(descriptors: 1)
        do {
            let permit = try ConnectionPermit(on: bench.route, isWaitedFor: true)
            #expect(refusal(bench)?.bound == .descriptors && permit.route.permits == 1)
        }
        #expect(bench.told.workers.withLock { $0 } == [7] && bench.route.permits == 0)
        // What the route had granted before was given back.
        bench.route.shared.connections.limit = 1
        #expect(refusal(bench) == nil)
    }

    @Test func whoDoesNotWaitIsNotTold() throws {
        let bench = try SessionBench(descriptors: 1)
        do {
            let permit = try ConnectionPermit(on: bench.route, isWaitedFor: false)
            #expect(refusal(bench, isWaitedFor: false)?.bound == .descriptors && permit.route.permits == 1)
        }
        #expect(bench.told.workers.withLock { $0 } == [])
    }

    @Test func theClientsOwnBoundHolds() throws {
        let bench = try SessionBench { $0.perClient.maxConnections = 1 }
        let client = SocketAddress.ip(IPAddress("192.0.2.1")!, port: 1)
        var other = try ConnectionPermit(on: bench.route, isWaitedFor: true)
        do {
            var permit = try ConnectionPermit(on: bench.route, isWaitedFor: true)
            try permit.admit(client)
            #expect(throws: ClientRefusal.tooManyConnections) { try other.admit(client) }
            _ = consume permit
        }
        try other.admit(client)
        #expect(bench.route.permits == 1)
    }

    @Test func theLastClientOfARemovedRouteEndsIt() throws {
        let bench = try SessionBench()
        var count = 0
        bench.route.onUnused = { count += 1 }
        _ = try ConnectionPermit(on: bench.route, isWaitedFor: true)
        #expect(count == 0)
        bench.route.isRemoved = true
        do {
            let first = try ConnectionPermit(on: bench.route, isWaitedFor: true)
            _ = try ConnectionPermit(on: bench.route, isWaitedFor: true)
            #expect(count == 0 && first.route.permits == 1)
        }
        #expect(count == 1)
    }
}
