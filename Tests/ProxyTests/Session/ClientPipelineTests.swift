import Access
import Configuration
import EventLoop
import Glibc
import Network
import Observability
import TestSupport
import Testing

@testable import Proxy

/// A client goes through the stages that its route has, and through no other.
@Suite(.timeLimit(.minutes(1))) struct ClientPipelineTests {
    private static let header = "PROXY TCP4 192.0.2.1 192.0.2.9 1 2\r\n"

    private static func expectsHeader(_ route: inout Route) {
        route.proxyProtocol.accept = true
        route.proxyProtocol.trustedProxies = [.block(CIDR("127.0.0.1")!)]
    }

    private func refusal(_ entrance: ClientPipeline.Entrance) -> ClientRefusal? {
        if case .turnedAway(let refusal) = entrance { refusal } else { nil }
    }

    @Test(arguments: [RouteProtocol.tcp, .http])
    func theProtocolIsTheLastStage(spoken: RouteProtocol) throws {
        let bench = try SessionBench { $0.protocol = spoken }
        _ = try bench.connect()
        let session = try #require(bench.sessions.first)
        #expect(spoken == .tcp ? session is TCPSession : session is HTTP1ClientConnection)
        session.abort(.drained)
    }

    @Test func accessComesFirst() throws {
        let bench = try SessionBench { $0.deny = [CIDR("127.0.0.0/8")!] }
        let (client, entrance) = try bench.enter(from: .ip(.loopbackV4, port: 1))
        #expect(refusal(entrance) == .denied)
        try bench.expectEnd(of: client, ECONNRESET)
        #expect(bench.worker.sessions.isEmpty && bench.route.permits == 0 && !bench.appIsCalled)
        #expect(bench.route.traffic.snapshot.counters.failures[.clientDenied] == 1)
    }

    @Test func aPROXYHeaderLeadsToTheProtocol() throws {
        let bench = try SessionBench(change)
        func change(_ route: inout Route) { Self.expectsHeader(&route) }
        let client = try bench.connect()
        #expect(bench.sessions.first is ProxyHeaderReader)
        for _ in 0..<3 { bench.loop.runOnce() }
        #expect(!bench.appIsCalled)
        #expect(client.send((Self.header + "question").utf8) == Self.header.utf8.count + 8)
        let app = try bench.accept()
        try bench.expect(app, toHave: "question")
        let session = try #require(bench.sessions.first)
        #expect(session is TCPSession && session.client == .ip(IPAddress("192.0.2.1")!, port: 1))
        #expect(bench.route.permits == 1)
        client.finishSending()
        app.finishSending()
        try bench.expectEnd(of: client, 0)
        try bench.expectNobody()
    }

    /// Whom a proxy names is asked about once it is known, and the proxy itself is not.
    @Test func accessIsForTheOneWhomAHeaderNames() throws {
        let bench = try SessionBench {
            Self.expectsHeader(&$0)
            $0.deny = [CIDR("127.0.0.0/8")!, CIDR("192.0.2.0/24")!]
        }
        let client = try bench.connect()
        #expect(client.send(Self.header.utf8) == Self.header.utf8.count)
        try bench.expectEnd(of: client, ECONNRESET)
        try bench.expectNobody(cause: .clientDenied)
        #expect(!bench.appIsCalled)
    }

    @Test func anyOtherClientHasNoHeader() throws {
        let bench = try SessionBench { Self.expectsHeader(&$0) }
        _ = try bench.connect(from: .ip(IPAddress("198.51.100.1")!, port: 1))
        let session = try #require(bench.sessions.first)
        #expect(session is TCPSession)
        session.abort(.drained)
    }

    /// Who is named during a drain, or on a route that is gone, is drained like those who were there before.
    @Test func whoComesThroughAStageLateIsDrained() throws {
        let bench = try SessionBench {
            Self.expectsHeader(&$0)
            $0.connect = .firstByte
        }
        let client = try bench.connect()
        #expect(client.send(Self.header.utf8) == Self.header.utf8.count)
        bench.worker.isDraining = true
        try bench.expectEnd(of: client, ECONNRESET)
        try bench.expectNobody(cause: .drained)
    }
}
