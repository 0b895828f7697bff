import Configuration
import EventLoop
import Glibc
import Foundation
import Network
import Observability
import TestSupport
import Testing

@testable import Proxy

/// A client of HTTP, from its first moment to its end, with an app that the test plays by itself.
@Suite(.timeLimit(.minutes(1))) struct HTTP1ClientConnectionTests {
    private static let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    private static let response = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

    private func bench(_ change: (inout Route) -> Void = { _ in }) throws -> SessionBench {
        try SessionBench { route in
            route.protocol = .http
            change(&route)
        }
    }

    /// Runs until the peer has received so many bytes, or everything.
    private func text(of peer: Peer, on bench: SessionBench, until end: String) throws -> String {
        func received() -> String { String(decoding: peer.received, as: UTF8.self) }
        try bench.run {
            peer.read()
            return peer.end != nil || received().hasSuffix(end)
        }
        return received()
    }

    @Test func aConnectionServesOneRequestBehindTheOther() throws {
        let bench = try bench()
        let client = try bench.connect()
        #expect(client.send((Self.request + Self.request).utf8) == 2 * Self.request.utf8.count)
        let app = try bench.accept()
        #expect(try text(of: app, on: bench, until: "\r\n\r\n").hasPrefix("GET / HTTP/1.1\r\n"))
        #expect(app.send(Self.response.utf8) == Self.response.utf8.count)
        try bench.run {
            app.read()
            return String(decoding: app.received, as: UTF8.self).components(separatedBy: "GET / ").count == 3
        }
        #expect(app.send(Self.response.utf8) == Self.response.utf8.count)
        try bench.expect(client, toHave: Self.response + Self.response)
        #expect(bench.sessions.first?.usesApp == false)
        client.finishSending()
        try bench.expectEnd(of: client, 0)
        try bench.expectNobody()
        #expect(bench.route.traffic.snapshot.counters.requests.total == 2)
    }

    /// Exchanges are passed on from client to client; what one has asked for must not show in what another one gets.
    @Test func nothingOfAClientIsLeftForTheNext() throws {
        let bench = try bench()
        let first = try bench.connect()
        let asks = "HEAD /secret HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\nConnection: close\r\n\r\n"
        #expect(first.send(asks.utf8) == asks.utf8.count)
        let app = try bench.accept()
        _ = try text(of: app, on: bench, until: "\r\n\r\n")
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"
        #expect(app.send(head.utf8) == head.utf8.count)
        _ = try text(of: first, on: bench, until: "\r\n\r\n")
        try bench.expectEnd(of: first, 0)
        try bench.run { bench.worker.sessions.isEmpty }
        // The same exchange: of another method, without a wish for pages, and with a connection that stays.
        let second = try bench.connect()
        #expect(second.send(Self.request.utf8) == Self.request.utf8.count)
        try bench.run {
            app.read()
            return String(decoding: app.received, as: UTF8.self).hasSuffix("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                || String(decoding: app.received, as: UTF8.self).contains("GET / ")
        }
        #expect(app.send(Self.response.utf8) == Self.response.utf8.count)
        try bench.expect(second, toHave: Self.response)
        let wrong = "NONSENSE\r\n\r\n"
        #expect(second.send(wrong.utf8) == wrong.utf8.count)
        let page = try text(of: second, on: bench, until: "}\n")
        #expect(page.contains("HTTP/1.1 400 Bad Request\r\n") && page.contains("Content-Type: application/json\r\n"))
        #expect(!page.contains("secret"))
    }

    @Test func anAppThatGoesWithoutAWordGetsTheRequestAgainOnce() throws {
        let bench = try bench()
        let client = try bench.connect()
        #expect(client.send(Self.request.utf8) == Self.request.utf8.count)
        let kept = try bench.accept()
        _ = try text(of: kept, on: bench, until: "\r\n\r\n")
        #expect(kept.send(Self.response.utf8) == Self.response.utf8.count)
        try bench.expect(client, toHave: Self.response)
        #expect(client.send(Self.request.utf8) == Self.request.utf8.count)
        try bench.run {
            kept.read()
            return String(decoding: kept.received, as: UTF8.self).components(separatedBy: "GET / ").count == 3
        }
        kept.close()
        let other = try bench.accept()
        #expect(try text(of: other, on: bench, until: "\r\n\r\n").hasPrefix("GET / HTTP/1.1\r\n"))
        other.close()
        let page = try text(of: client, on: bench, until: "}\n")
        #expect(page.hasPrefix(Self.response + "HTTP/1.1 502 Bad Gateway\r\n"))
        #expect(!bench.appIsCalled)
    }

    @Test func aResponseThatIsCutOffEndsWithAnEnd() throws {
        let bench = try bench()
        let client = try bench.connect()
        #expect(client.send(Self.request.utf8) == Self.request.utf8.count)
        let app = try bench.accept()
        _ = try text(of: app, on: bench, until: "\r\n\r\n")
        let part = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"
        #expect(app.send(part.utf8) == part.utf8.count)
        try bench.expect(client, toHave: part)
        app.close()
        try bench.expectEnd(of: client, 0)
        client.close()
        try bench.expectNobody(cause: .answerCutOff)
    }

    @Test func aClientThatLeavesInAHeadIsCounted() throws {
        let bench = try bench()
        let client = try bench.connect()
        #expect(client.send("GET / HT".utf8) == 8)
        client.finishSending()
        try bench.expectEnd(of: client, 0)
        try bench.expectNobody(cause: .clientLeft)
    }

    @Test func aResetOfTheClientReachesTheAppInTheMiddleOfARequest() throws {
        let bench = try bench()
        let client = try bench.connect()
        let part = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf"
        #expect(client.send(part.utf8) == part.utf8.count)
        let app = try bench.accept()
        _ = try text(of: app, on: bench, until: "half")
        client.reset()
        try bench.expectEnd(of: app, ECONNRESET)
        try bench.expectNobody(cause: .clientFailed)
    }

    @Test func anAbortResetsBothSides() throws {
        let bench = try bench()
        let client = try bench.connect()
        #expect(client.send(Self.request.utf8) == Self.request.utf8.count)
        let app = try bench.accept()
        _ = try text(of: app, on: bench, until: "\r\n\r\n")
        #expect(bench.sessions.first?.usesApp == true)
        bench.worker.sessions.abort(.drained)
        try bench.expectEnd(of: client, ECONNRESET)
        try bench.expectEnd(of: app, ECONNRESET)
        try bench.expectNobody(cause: .drained)
    }

    @Test func aDrainEndsWhatIsIdleAndLetsARequestFinish() throws {
        let bench = try bench()
        let client = try bench.connect()
        #expect(client.send(Self.request.utf8) == Self.request.utf8.count)
        let app = try bench.accept()
        _ = try text(of: app, on: bench, until: "\r\n\r\n")
        bench.sessions.first?.drain()
        #expect(app.send(Self.response.utf8) == Self.response.utf8.count)
        try bench.expect(client, toHave: Self.response)
        bench.sessions.first?.drain()
        try bench.expectEnd(of: client, 0)
        try bench.expectNobody()
    }
}
