import Access
import Configuration
import EventLoop
import Glibc
import Network
import ProxyProtocol
import TestSupport
import Testing

@testable import Proxy

/// A client's connection has one owner, and what is held for it falls back once.
@Suite(.timeLimit(.minutes(1))) struct ClientConnectionTests {
    private static let named = ProxyHeader(
        endpoints: ProxyHeader.Endpoints(
            source: .ip(IPAddress("192.0.2.1")!, port: 1), destination: .ip(IPAddress("192.0.2.9")!, port: 2)))

    @Test func isHandedOnWhole() throws {
        let bench = try SessionBench()
        var first = try bench.connection()
        let client = try #require(bench.lastClient)
        let started = first.started
        first.socket?.onReady = { _ in Issue.record("the former owner is told of nothing") }
        var second = first.handOn()
        #expect(first.socket == nil && second.socket != nil && bench.route.permits == 1)
        #expect(second.started == started && second.client == first.client && second.route === first.route)
        #expect(client.send("word".utf8) == 4)
        for _ in 0..<3 { bench.loop.runOnce() }
        #expect(second.socket?.unusedReadiness.contains(.readable) == true)
        // The former owner has nothing to give back.
        first.end()
        client.read()
        #expect(bench.route.permits == 1 && client.end == nil)
        second.end()
        #expect(bench.route.permits == 0)
        try bench.expectEnd(of: client, ECONNRESET)
        // Nor is anything given back twice.
        second.end()
        #expect(bench.route.permits == 0)
    }

    @Test func givesEverythingBackWhenItGoes() throws {
        let bench = try SessionBench(descriptors: 1)
        do {
            let connection = try bench.connection()
            let isFull = bench.worker.takePermit(on: bench.route) == nil
            #expect(connection.socket != nil && isFull)
        }
        let hasRoom = bench.worker.takePermit(on: bench.route) != nil
        #expect(bench.route.permits == 0 && hasRoom)
    }

    @Test func theClientIsTheOneThatAHeaderNames() throws {
        let bench = try SessionBench { $0.perClient.maxConnections = 1 }
        var one = try bench.connection(awaitsProxyHeader: true)
        var other = try bench.connection(awaitsProxyHeader: true)
        #expect(one.awaitsProxyHeader && one.receivedHeader == nil)
        try one.admit(namedBy: Self.named)
        #expect(one.client == Self.named.endpoints?.source && !one.awaitsProxyHeader)
        #expect(one.receivedHeader?.header == Self.named)
        // It has as many connections as it may have, whatever proxy it comes through.
        #expect(throws: ClientRefusal.tooManyConnections) { try other.admit(namedBy: Self.named) }
        #expect(other.client == .ip(.loopbackV4, port: 40_000) && other.receivedHeader == nil)
        one.end()
        try other.admit(namedBy: Self.named)
        other.end()
    }

    @Test func aHeaderThatNamesNobodyLeavesTheProxy() throws {
        let bench = try SessionBench()
        var connection = try bench.connection(awaitsProxyHeader: true)
        try connection.admit(namedBy: ProxyHeader())
        #expect(connection.client == .ip(.loopbackV4, port: 40_000) && connection.receivedHeader != nil)
        connection.end()
    }
}
