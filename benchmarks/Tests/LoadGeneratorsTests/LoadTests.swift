import Testing

@testable import LoadGenerators

@Suite struct FixedRateLoadTests {
    /// While one answer is late by 300 ms, 60 more requests fall due. A closed loop would show one slow request.
    @Test func requestsThatHadToWaitShowIt() throws {
        let app = StallingApp(stall: 50, milliseconds: 300)
        defer { app.stop() }
        let load = FixedRateLoad(host: "127.0.0.1", port: app.port, connections: 1, rate: 200, seconds: 1)
        let result = try load.run(connected: {})
        #expect(result.requests == 200)
        // 40 of the 200 had to wait for more than 100 ms.
        #expect(result.microseconds(percentile: 85) > 100_000)
        #expect(result.microseconds(percentile: 50) < 100_000)
        #expect(result.seconds > 0.95)
    }

    @Test func anAppThatDoesNotKeepUpIsAFailure() {
        let app = StallingApp(stall: 10, milliseconds: 5000)
        defer { app.stop() }
        let load = FixedRateLoad(host: "127.0.0.1", port: app.port, connections: 1, rate: 100, seconds: 0.2)
        #expect(throws: LoadFailure.self) { _ = try load.run(connected: {}) }
    }
}

@Suite struct FixedCountLoadTests {
    @Test(arguments: [1, 3])
    func sendsAsManyAsAsked(_ connections: Int) throws {
        let app = StallingApp(stall: -1, milliseconds: 0)
        defer { app.stop() }
        let load = FixedCountLoad(host: "127.0.0.1", port: app.port, requests: 100, connections: connections)
        var before = 0
        try load.runOnKeptConnections { before = app.requests }
        #expect(app.requests - before == 100)
        try load.runOnNewConnections { before = app.requests }
        #expect(app.requests - before == 100)
    }

    @Test func asksForThePath() throws {
        let app = StallingApp(stall: -1, milliseconds: 0)
        defer { app.stop() }
        let load = FixedCountLoad(host: "127.0.0.1", port: app.port, path: "/x", requests: 3, connections: 1)
        try load.runOnKeptConnections(connected: {})
        #expect(app.lastTarget == "/x")
    }

    @Test func anAnswerThatIsCutShortIsAFailure() {
        let app = StallingApp(stall: -1, milliseconds: 0, cut: 5)
        defer { app.stop() }
        let load = FixedCountLoad(host: "127.0.0.1", port: app.port, requests: 10, connections: 1)
        #expect(throws: LoadFailure.self) { try load.runOnNewConnections(connected: {}) }
    }

    @Test func nobodyThereIsAFailure() {
        let app = StallingApp(stall: -1, milliseconds: 0)
        app.stop()
        let load = FixedCountLoad(host: "127.0.0.1", port: app.port, requests: 1, connections: 1)
        #expect(throws: LoadFailure.self) { try load.runOnNewConnections(connected: {}) }
    }
}

@Suite struct HTTPRequestTests {
    @Test func knowsHowLongAnAnswerIs() {
        let answer = "HTTP/1.1 200 OK\r\nServer: x\r\ncontent-length: 5\r\n\r\nhello"
        #expect(HTTPRequest.length(of: Array(answer.utf8)) == answer.utf8.count)
        #expect(HTTPRequest.length(of: Array(answer.utf8.dropLast(3))) == answer.utf8.count)
        #expect(HTTPRequest.length(of: Array("HTTP/1.1 200 OK\r\nServer: x\r\n".utf8)) == nil)
        #expect(HTTPRequest.length(of: Array("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n".utf8)) == nil)
    }
}
