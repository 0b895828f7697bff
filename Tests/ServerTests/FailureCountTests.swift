import Configuration
import EventLoop
import Glibc
import Network
import Observability
import TestSupport
import Testing

@testable import Server

/// Each failure is counted once, with its cause; and with HTTP, by the status that the client got.
@Suite(.serialized, .timeLimit(.minutes(1))) struct FailureCountTests {
    /// One way for things to go wrong.
    struct Case: Sendable, CustomTestStringConvertible {
        let cause: FailureCause
        var route: @Sendable (inout Route) -> Void = { _ in }
        /// Plays the client, and the app where it does more than accept.
        let play: @Sendable (RunningServer) throws -> Void
        /// The first digit of the status that the client got; nil for no request at all.
        var statusClass: Int?

        /// One client is served, and one that comes meanwhile is refused.
        static let refusesTheSecond: @Sendable (RunningServer) throws -> Void = { running in
            let client = try running.connect()
            let app = try running.accept()
            try running.expectEnd(of: running.connect())
            client.finishSending()
            app.finishSending()
            try running.expectEnd(of: app)
        }

        var testDescription: String { cause.rawValue + (statusClass.map { ", \($0)xx" } ?? "") }
    }

    private func expect(_ played: Case, _ running: RunningServer) throws {
        let route = try running.route { $0.counters.failures.total > 0 && $0.connections == 0 }
        let counts = FailureCause.allCases.filter { route.counters.failures[$0] > 0 }
        #expect(counts == [played.cause])
        #expect(route.counters.failures.total == 1)
        #expect(route.counters.endedConnections == route.counters.connections)
        #expect(route.counters.requests.total == (played.statusClass == nil ? 0 : 1))
        if let statusClass = played.statusClass { #expect(route.counters.requests.byClass[statusClass] == 1) }
        #expect(route.held == 0 && route.queued == 0 && route.upstreamConnections == 0)
    }

    // MARK: TCP

    @Test(arguments: [
        Case(cause: .clientDenied, route: { $0.deny = [CIDR("127.0.0.0/8")!] }) { running in
            try running.expectEnd(of: running.connect())
        },
        Case(cause: .clientConnectionLimit, route: { $0.perClient.maxConnections = 1 }, play: Case.refusesTheSecond),
        Case(cause: .clientRateLimit, route: { $0.perClient.rate = Rate(1, per: .hour) }, play: Case.refusesTheSecond),
        Case(cause: .clientFailed) { running in
            let client = try running.connect()
            let app = try running.accept()
            client.reset()
            try running.expectEnd(of: app)
        },
        Case(cause: .appFailed) { running in
            let client = try running.connect()
            try running.accept().reset()
            try running.expectEnd(of: client)
        },
        Case(cause: .appNotListening, route: { $0.upstream = .address(.unix(path: "/nowhere/app.sock")) }) { running in
            try running.expectEnd(of: running.connect())
        },
        Case(cause: .connectFailed, route: { $0.upstream = .address(.ip(IPAddress("127.255.255.255")!, port: 9)) }) {
            try $0.expectEnd(of: $0.connect())
        },
        Case(cause: .idleTimeout, route: { $0.idleTimeout = .milliseconds(50) }) { running in
            let client = try running.connect()
            let app = try running.accept()
            try running.expectEnd(of: client)
            try running.expectEnd(of: app)
        },
        Case(cause: .halfCloseTimeout, route: { $0.halfCloseTimeout = .milliseconds(50) }) { running in
            let client = try running.connect()
            let app = try running.accept()
            client.finishSending()
            try running.expectEnd(of: app)
            try running.expectEnd(of: client)
        },
        Case(
            cause: .queueTimeout,
            route: {
                $0.upstreamConnections.max = 1
                $0.upstreamConnections.queue = 1
                $0.upstreamConnections.queueTimeout = .milliseconds(50)
            },
            play: Case.refusesTheSecond),
        Case(
            cause: .queueFull,
            route: {
                $0.upstreamConnections.max = 1
                $0.upstreamConnections.queue = 0
            },
            play: Case.refusesTheSecond),
        Case(
            cause: .clientLeft,
            route: {
                $0.upstreamConnections.max = 1
                $0.upstreamConnections.queue = 1
            }
        ) { running in
            let client = try running.connect()
            let app = try running.accept()
            let second = try running.connect()
            // The app has taken the connection before the worker knows it.
            _ = try running.route { $0.queued == 1 && $0.upstreamConnections == 1 }
            second.close()
            _ = try running.route { $0.queued == 0 && $0.connections == 1 }
            client.finishSending()
            app.finishSending()
            try running.expectEnd(of: app)
        },
        Case(
            cause: .invalidProxyHeader,
            route: {
                $0.proxyProtocol.accept = true
                $0.proxyProtocol.trustedProxies = [.block(CIDR("127.0.0.1")!)]
            }
        ) { running in
            let client = try running.connect()
            _ = client.send("GET / HTTP/1.1\r\n\r\n".utf8)
            try running.expectEnd(of: client)
        },
        Case(
            cause: .proxyHeaderTimeout,
            route: {
                $0.proxyProtocol.accept = true
                $0.proxyProtocol.trustedProxies = [.block(CIDR("127.0.0.1")!)]
                $0.proxyProtocol.headerTimeout = .milliseconds(50)
            }
        ) { running in
            try running.expectEnd(of: running.connect())
        },
        Case(cause: .drained) { running in
            let client = try running.connect()
            let app = try running.accept()
            running.server.drain {}
            try running.expectEnd(of: client)
            try running.expectEnd(of: app)
        },
    ])
    func aConnection(_ played: Case) throws {
        let running = try RunningServer(played.route)
        try played.play(running)
        try expect(played, running)
    }

    /// Clients that are held are counted as such.
    @Test func aClientThatIsHeldIsSeenWaiting() throws {
        let running = try RunningServer {
            $0.upstream = .address(.unix(path: "/nowhere/app.sock"))
            $0.hold = .seconds(60)
        }
        let client = try running.connect()
        let route = try running.route { $0.held == 1 }
        #expect(route.connections == 1 && route.upstreamConnections == 0)
        #expect(route.app.presence == .down)
        client.reset()
        try expect(Case(cause: .clientFailed) { _ in }, running)
    }

    // MARK: HTTP

    private static let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

    /// A client that has sent this, and the app to which it went.
    private static func exchange(_ running: RunningServer, _ request: String = request) throws -> (
        client: Peer, app: Peer
    ) {
        let client = try running.connect()
        #expect(client.send(request.utf8) == request.utf8.count)
        let app = try running.accept()
        try running.expect(app, toHave: 16)
        return (client, app)
    }

    @Test(arguments: [
        Case(
            cause: .invalidRequest,
            play: { running in
                let client = try running.connect()
                _ = client.send("GET / HTTP/1.1\r\nHost : a\r\n\r\n".utf8)
                try running.expectEnd(of: client)
            }, statusClass: 4),
        Case(
            cause: .clientLeft,
            play: { running in
                let client = try running.connect()
                _ = client.send("GET / HT".utf8)
                client.finishSending()
                try running.expectEnd(of: client)
            }, statusClass: 0),
        Case(
            cause: .clientLeft,
            play: { running in
                let (client, app) = try exchange(running, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n123")
                client.finishSending()
                try running.expectEnd(of: client)
                try running.expectEnd(of: app)
            }, statusClass: 4),
        Case(
            cause: .headTimeout, route: { $0.http.headTimeout = .milliseconds(50) },
            play: { running in
                let client = try running.connect()
                _ = client.send("GET / HT".utf8)
                try running.expectEnd(of: client)
            }, statusClass: 4),
        Case(
            cause: .bodyTimeout, route: { $0.http.bodyTimeout = .milliseconds(50) },
            play: { running in
                let (client, app) = try exchange(running, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n123")
                try running.expectEnd(of: client)
                try running.expectEnd(of: app)
            }, statusClass: 4),
        Case(
            cause: .answerTimeout, route: { $0.http.responseTimeout = .milliseconds(50) },
            play: { running in
                let (client, app) = try exchange(running)
                try running.expectEnd(of: client)
                app.close()
            }, statusClass: 5),
        Case(
            cause: .noAnswer,
            play: { running in
                let (client, app) = try exchange(running)
                app.close()
                try running.expectEnd(of: client)
            }, statusClass: 5),
        Case(
            cause: .invalidAnswer,
            play: { running in
                let (client, app) = try exchange(running)
                _ = app.send("SSH-2.0-OpenSSH\r\n\r\n".utf8)
                try running.expectEnd(of: client)
            }, statusClass: 5),
        Case(
            cause: .answerCutOff,
            play: { running in
                let (client, app) = try exchange(running)
                _ = app.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n123".utf8)
                try running.expect(client, toHave: 20)
                app.close()
                try running.expectEnd(of: client)
            }, statusClass: 2),
        Case(
            cause: .clientFailed,
            play: { running in
                let (client, app) = try exchange(running)
                client.reset()
                try running.expectEnd(of: app)
            }, statusClass: 0),
        Case(
            cause: .appNotListening, route: { $0.upstream = .address(.unix(path: "/nowhere/app.sock")) },
            play: { running in
                let client = try running.connect()
                _ = client.send(request.utf8)
                try running.expectEnd(of: client)
            }, statusClass: 5),
        // Between two requests; there has been none yet.
        Case(cause: .clientFailed) { running in
            let client = try running.connect()
            _ = try running.route { $0.connections == 1 }
            client.reset()
        },
    ])
    func aRequest(_ played: Case) throws {
        try playRequest(played)
    }

    private func playRequest(_ played: Case) throws {
        let running = try RunningServer {
            $0.protocol = .http
            played.route(&$0)
        }
        try played.play(running)
        try expect(played, running)
    }

    private static let passwords = "/tmp/loopbridge-test-\(getpid())-passwords"

    /// A client that sends this name and password, and then ends.
    private static func ask(_ credentials: String?) -> @Sendable (RunningServer) throws -> Void {
        { running in
            let client = try running.connect()
            let field = credentials.map { "Authorization: Basic \($0)\r\n" } ?? ""
            _ = client.send("GET / HTTP/1.1\r\nHost: a\r\n\(field)\r\n".utf8)
            client.finishSending()
            try running.expectEnd(of: client)
        }
    }

    @Test(arguments: [
        Case(cause: .unauthorized, play: ask(nil), statusClass: 4),
        // anna:Secret
        Case(cause: .wrongPassword, play: ask("YW5uYTpTZWNyZXQ="), statusClass: 4),
        Case(
            cause: .passwordsBusy, route: { $0.http.basicAuth.file = "/nowhere/passwords" },
            play: ask("YW5uYTpzZWNyZXQ="), statusClass: 5),
    ])
    func aRequestWithAPassword(_ played: Case) throws {
        let file = try #require(fopen(Self.passwords, "w"))
        defer { unlink(Self.passwords) }
        fputs("anna:$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW\n", file)
        fclose(file)
        var played = played
        let change = played.route
        played.route = {
            $0.http.basicAuth.file = Self.passwords
            change(&$0)
        }
        try playRequest(played)
    }

    /// However little it says, a connection that idles between requests has not failed when it ends.
    @Test func aConnectionThatEndsBetweenRequestsHasNotFailed() throws {
        let running = try RunningServer { $0.protocol = .http }
        let client = try running.connect()
        _ = try running.route { $0.connections == 1 }
        client.close()
        let route = try running.route { $0.connections == 0 }
        #expect(route.counters.failures.total == 0 && route.counters.requests.total == 0)
        #expect(route.counters.endedConnections == 1)
    }
}
