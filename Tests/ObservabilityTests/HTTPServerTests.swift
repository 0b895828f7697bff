import EventLoop
import Glibc
import Network
import Observability
import TestSupport
import Testing

@Suite struct HTTPServerTests {
    /// A server on a port of its own, and what its clients do.
    private final class Site {
        let loop: EventLoop
        let address: SocketAddress
        var server: HTTPServer?

        init(_ handler: @escaping HTTPServer.Handler) throws {
            loop = try EventLoop()
            let listener = try ListeningSocket(on: .ip(.loopbackV4, port: 0))
            address = listener.localAddress!
            server = try HTTPServer(
                accepting: listener.takeDescriptor(), on: loop, fields: [("X-Always", "yes")], handler: handler)
        }

        func client(_ request: String) throws -> Peer {
            let socket = try Socket(toReach: address)
            while socket.connect(to: address) == .inProgress {}
            let peer = Peer(socket)
            #expect(peer.send(request.utf8) == request.utf8.count)
            return peer
        }

        /// What a client gets until it has all of these words, or the connection ends.
        func text(_ peer: Peer, until words: String) throws -> String {
            func text() -> String { String(decoding: peer.received, as: UTF8.self) }
            _ = try loop.run(until: {
                peer.read()
                return text().contains(words) || peer.end != nil
            })
            return text()
        }
    }

    private static func page(_ text: String) -> HTTPServer.Response {
        HTTPServer.Response(contentType: "text/plain", fields: [("X-Own", "1")], body: Array(text.utf8))
    }

    @Test func answersWithWhatItWasAsked() throws {
        let site = try Site { request, responder in
            responder.answer(
                Self.page(
                    "\(request.path) \(request.query ?? "-") \(request.peer) \(request.field("accept") ?? "-") "
                        + (request.field("Missing") ?? "-")))
        }
        let peer = try site.client(
            "GET /a%20b?c=d&e HTTP/1.1\r\nHost: a\r\nAccept: x/y\r\nACCEPT: z/*\r\nConnection: close\r\n\r\n")
        let text = try site.text(peer, until: "nothing")
        #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(text.contains("X-Always: yes\r\n"))
        #expect(text.contains("X-Own: 1\r\n"))
        #expect(text.contains("Content-Length: 33\r\n"))
        #expect(text.hasSuffix("\r\n\r\n/a%20b c=d&e 127.0.0.1 x/y, z/* -"), "\(text)")
        #expect(peer.end == 0)
    }

    @Test func answersLater() throws {
        var waiting: [HTTPServer.Responder] = []
        let site = try Site { _, responder in waiting.append(responder) }
        let peers = try (0..<3).map { try site.client("GET /\($0) HTTP/1.1\r\nHost: a\r\n\r\n") }
        #expect(try site.loop.run(until: { waiting.count == 3 }))
        for responder in waiting.reversed() { responder.answer(Self.page("late")) }
        // One more is one too many.
        for responder in waiting { responder.answer(Self.page("twice")) }
        for peer in peers {
            let text = try site.text(peer, until: "late")
            #expect(text.hasSuffix("late"))
        }
    }

    @Test func toleratesAClientThatHasLeft() throws {
        var waiting: [HTTPServer.Responder] = []
        let site = try Site { _, responder in waiting.append(responder) }
        let leaving = [
            try site.client("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"),
            try site.client("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n"),
        ]
        #expect(try site.loop.run(until: { waiting.count == 2 }))
        leaving[0].close()
        leaving[1].reset()
        for _ in 0..<20 { site.loop.runOnce() }
        let large = HTTPServer.Response(contentType: "text/plain", body: [UInt8](repeating: 120, count: 1 << 20))
        for responder in waiting { responder.answer(large) }
        let other = try site.client("GET /3 HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try site.loop.run(until: { waiting.count == 3 }))
        waiting[2].answer(Self.page("still here"))
        #expect(try site.text(other, until: "still here").contains("still here"))
    }

    @Test func endsWithItsServer() throws {
        var waiting: [HTTPServer.Responder] = []
        let site = try Site { _, responder in waiting.append(responder) }
        let peer = try site.client("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        let idle = try site.client("GET / HT")
        #expect(try site.loop.run(until: { waiting.count == 1 }))
        site.server = nil
        waiting[0].answer(Self.page("nobody hears this"))
        #expect(try site.text(peer, until: "nobody").isEmpty)
        #expect(try site.text(idle, until: "nobody").isEmpty)
        let socket = try Socket(toReach: site.address)
        var result = socket.connect(to: site.address)
        while result == .inProgress { result = socket.connect(to: site.address) }
        #expect(result == .failed(ECONNREFUSED))
    }

    @Test func aForgottenResponderIsAnError() throws {
        let site = try Site { _, _ in }
        let peer = try site.client("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try site.text(peer, until: "no answer").hasPrefix("HTTP/1.1 500 "))
    }

    @Test func leavesTheBodyOutForHEAD() throws {
        let site = try Site { $1.answer(Self.page("twelve bytes")) }
        let peer = try site.client("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        let text = try site.text(peer, until: "nothing")
        #expect(text.contains("Content-Length: 12\r\n"))
        #expect(text.hasSuffix("\r\n\r\n"))
    }

    @Test(arguments: ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"]) func allowsNothingElse(method: String)
        throws
    {
        let site = try Site { $1.answer(Self.page("never")) }
        let peer = try site.client("\(method) / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        let text = try site.text(peer, until: "nothing")
        #expect(text.hasPrefix("HTTP/1.1 405 "), "\(text)")
        #expect(text.contains("Allow: GET, HEAD\r\n"))
        #expect(text.contains("X-Always: yes\r\n"))
    }

    @Test func refusesWhatIsTooLarge() throws {
        let site = try Site { $1.answer(Self.page("never")) }
        for request in [
            "GET / HTTP/1.1\r\nX: \(String(repeating: "y", count: 20_000))\r\n\r\n",
            "GET /\(String(repeating: "y", count: 20_000)) HTTP/1.1\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n",
        ] {
            let text = try site.text(try site.client(request), until: "nothing")
            #expect(!text.contains("never") && text.hasPrefix("HTTP/1.1 4"), "\(text)")
        }
    }

    /// The next one is served as soon as one has left.
    @Test func keepsFewConnections() throws {
        let site = try Site { $1.answer(Self.page("served")) }
        var silent = try (0..<HTTPServer.mostConnections).map { _ in try site.client("GET / HT") }
        for _ in 0..<100 { site.loop.runOnce() }
        let next = try site.client("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(
            try !site.loop.run(
                until: {
                    next.read()
                    return !next.received.isEmpty
                }, atMost: .milliseconds(300)))
        silent.removeLast().close()
        #expect(try site.text(next, until: "served").hasSuffix("served"))
    }

    @Test func endsAloneWithoutMemory() throws {
        var answered = 0
        let count = try LibeventMemory.failingInTurn {
            let site: Site
            do {
                site = try Site { $1.answer(Self.page("served")) }
            } catch let error as SystemError {
                #expect(error.code == ENOMEM)
                return
            }
            let first = try site.client("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            for _ in 0..<3 {
                site.loop.runOnce()
                first.read()
            }
            if first.end != nil { #expect(first.end == ECONNRESET) } else { answered += 1 }
            try LibeventMemory.restored {
                let next = try site.client("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try site.text(next, until: "served").hasSuffix("served"))
            }
        }
        #expect(count > 10 && answered >= 1)
    }

    /// A client that finishes sending first has asked all the same.
    @Test func answersWhoHasFinishedSending() throws {
        let site = try Site { $1.answer(Self.page(String(repeating: "x", count: 3 << 20))) }
        let peer = try site.client("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        peer.finishSending()
        let text = try site.text(peer, until: "nothing")
        #expect(text.count > 3 << 20 && peer.end == 0)
    }

    @Test func answersRequestsThatCameTogether() throws {
        let site = try Site { request, responder in responder.answer(Self.page("\(request.path);")) }
        let requests = (0..<200).map { "GET /\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined()
        let text = try site.text(try site.client(requests), until: "/199;")
        #expect((0..<200).allSatisfy { text.contains("/\($0);") })
    }

    @Test func keepsAConnectionOfHTTP10WhereItIsAskedTo() throws {
        let site = try Site { $1.answer(Self.page("served")) }
        let kept = try site.client("GET /?a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        #expect(try site.text(kept, until: "served").contains("Connection: keep-alive\r\n"))
        #expect(kept.end == nil)
        let closed = try site.client("GET http://a?b HTTP/1.0\r\n\r\n")
        #expect(try site.text(closed, until: "nothing").contains("Connection: close\r\n"))
        #expect(closed.end == 0)
    }
}
