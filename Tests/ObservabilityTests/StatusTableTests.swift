import Testing

@testable import Observability

@Suite struct StatusTableTests {
    private func route(_ name: String = "web", presence: String = "up", since: Double? = nil, waiting: Int = 0)
        -> StatusReport.Route
    {
        let nothing = StatusReport.Bounded(count: 0, limit: nil)
        return StatusReport.Route(
            name: name, listen: ["0.0.0.0:80"], upstream: "localhost:8000", protocol: "http",
            app: StatusReport.App(presence: presence, since: since),
            connections: StatusReport.Bounded(count: 12_345, limit: 20_000), held: waiting, queued: nothing,
            upstreamConnections: nothing,
            pool: StatusReport.Pool(idle: 0, spare: 0, hits: 0, misses: 0, evictions: 0, stale: 0),
            totals: StatusReport.Totals(
                connections: 100, requests: 1000, bytesToApp: 0, bytesToClient: 1 << 30, failures: 7),
            failures: [],
            latest: StatusReport.Sample(
                time: 1000, connections: 1, waiting: 0, connectionsPerSecond: 1.25, requestsPerSecond: 1234,
                bytesToAppPerSecond: 0, bytesToClientPerSecond: 1536, failuresPerSecond: 0,
                latency: StatusReport.Percentiles(p50: 0.00042, p90: 0.1, p99: 12), isAppUp: true))
    }

    private func report(
        _ routes: [StatusReport.Route], time: Double = 1000, startTime: Double = 400,
        messages: [StatusReport.Message] = []
    ) -> StatusReport {
        StatusReport(
            version: "1.2.3", time: time, startTime: startTime, state: "running",
            process: StatusReport.Process(
                cpuSeconds: 90, residentBytes: 10 << 20, openDescriptors: 10, maxDescriptors: 100, threads: 3),
            workers: [StatusReport.Worker(number: 0, loopLag: 0.25, parkedBytes: 2048, connections: 3)], routes: routes,
            reloads: StatusReport.Reloads(succeeded: 0, failed: 0, lastSuccess: 0, hasFailedLast: false),
            droppedLogLines: 0, messages: messages)
    }

    @Test func showsARoute() {
        let lines = StatusTable(report([route()])).lines(StatusTable.Layout(width: 100))
        #expect(
            lines == [
                "loopbridge 1.2.3: running for 10m, 1 route",
                "ROUTE      APP         CONN   WAIT  NEW/S  REQ/S  TO APP/S TO CLIENT/S    P50    P99   FAIL",
                "web        up         12.3k      0    1.3   1.2k         0      1.5KiB  0.4ms    12s      7",
                "workers: 1, connections 3, loop lag 250ms, parked 2.0KiB",
                "process: CPU 90s in all, memory 10.0MiB, files 10 of 100, threads 3",
            ])
    }

    /// No line is wider than the terminal, and what identifies a route stays.
    @Test(arguments: 1...200) func fits(width: Int) {
        let routes = [
            route("a-route-with-a-name-that-is-far-too-long-for-a-table"), route("日本語の名前です"),
            route(presence: "down", since: 990, waiting: 3),
        ]
        let messages = [StatusReport.Message(time: 999, level: "error", text: "x", count: 1)]
        let table = StatusTable(report(routes, messages: messages), trouble: "no answer")
        for line in table.lines(StatusTable.Layout(width: width)) {
            #expect(ScreenText(line).width <= width, "\(line)")
        }
        if width >= 27 { #expect(table.lines(StatusTable.Layout(width: width)).contains { $0.contains("down 10s") }) }
    }

    @Test(arguments: 1...40) func fits(height: Int) {
        let routes = (0..<20).map { route("route \($0)") }
        let messages = (0..<9).map { StatusReport.Message(time: 999, level: "error", text: "message \($0)", count: 1) }
        let table = StatusTable(report(routes, messages: messages))
        let lines = table.lines(StatusTable.Layout(width: 100, height: height))
        #expect(lines.count <= height)
        // Routes come before messages, of which the latest are shown.
        let shown = lines.count { $0.hasPrefix("route ") }
        #expect(shown == min(20, max(height - 4, height > 2 ? 1 : 0)))
        #expect(lines.count { $0.contains("message") } == min(5, max(0, height - 25)))
        if height > 25 { #expect(lines.last == "1s ago: message 8") }
    }

    @Test func scrollsNoFurtherThanThereAreRoutes() {
        let table = StatusTable(report((0..<20).map { route("route \($0)") }))
        func first(_ offset: Int, height: Int) -> String? {
            let layout = StatusTable.Layout(width: 100, height: height, offset: offset)
            return table.lines(layout).first { $0.hasPrefix("route ") }.map { String($0.prefix(9)) }
        }
        #expect(table.mostOffset(StatusTable.Layout(width: 100, height: 14)) == 10)
        #expect(first(0, height: 14) == "route 0  ")
        #expect(first(3, height: 14) == "route 3  ")
        #expect(first(1000, height: 14) == "route 10 ")
        #expect(first(-5, height: 14) == "route 0  ")
        #expect(first(1000, height: 50) == "route 0  ")
    }

    @Test func anotherRunsFiguresAreNotComparedWithThese() {
        var before = report([route()], time: 990, startTime: 10)
        before.routes[0].totals.requests = 5000
        let other = StatusTable(report([route()]), earlier: before).lines(StatusTable.Layout(width: 100))
        #expect(other == StatusTable(report([route()])).lines(StatusTable.Layout(width: 100)))
        before.startTime = 400
        before.routes[0].totals.requests = 500
        let same = StatusTable(report([route()]), earlier: before).lines(StatusTable.Layout(width: 100))
        #expect(same[2].contains(" 50 "))
        // What went back is another's.
        before.routes[0].totals.requests = 5000
        #expect(StatusRates(route(), since: before.routes[0], seconds: 1).requests == 0)
    }

    @Test func emphasisAndColoursAreSeparate() {
        let routes = [route(presence: "down", since: 1, waiting: 2)]
        func text(_ emphasis: Bool, _ colours: Bool) -> String {
            StatusTable(report(routes)).lines(
                StatusTable.Layout(width: 100, hasEmphasis: emphasis, hasColours: colours)
            ).joined()
        }
        #expect(!text(false, false).contains("\u{1B}") && !text(false, true).contains("\u{1B}"))
        #expect(text(true, false).contains("\u{1B}[1m2") || text(true, false).contains("\u{1B}[1m     2"))
        #expect(!text(true, false).contains("31m"))
        #expect(text(true, true).contains("\u{1B}[1;31mdown 16m"))
    }

    @Test func nothingCommandsTheTerminal() {
        let evil = String(String.UnicodeScalarView((0...0x9F).compactMap { Unicode.Scalar($0 as UInt32) }))
        let messages = [StatusReport.Message(time: 999, level: "error", text: evil, count: 1)]
        let table = StatusTable(report([route(evil)], messages: messages), trouble: evil)
        for line in table.lines(StatusTable.Layout(width: 400)) {
            #expect(line.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F ~= $0.value) })
        }
    }

    @Test(arguments: [
        (0, "0"), (0.04, "0.0"), (2.5, "2.5"), (40, "40"), (999, "999"), (999.6, "1.0k"), (12_345, "12.3k"),
        (123_456, "123k"), (1e6, "1.0M"), (1e15, "1000T"),
    ])
    func countsAreShort(value: Double, text: String) {
        #expect(Quantity.count(value) == text)
    }

    @Test(arguments: [
        (0, "0"), (640, "640B"), (1023, "1.0KiB"), (1536, "1.5KiB"), (1 << 20, "1.0MiB"), (200 << 20, "200MiB"),
    ])
    func bytesAreShort(value: Int, text: String) {
        #expect(Quantity.bytes(Double(value)) == text)
    }

    @Test(arguments: [
        (0, "0.0ms"), (0.00042, "0.4ms"), (0.00999, "10ms"), (0.25, "250ms"), (0.9999, "1.0s"), (1.5, "1.5s"),
        (12, "12s"), (119, "119s"), (120, "2m"), (86_400, "24h"), (172_800, "2d"),
    ])
    func timesAreShort(seconds: Double, text: String) {
        #expect(Quantity.time(seconds) == text)
    }

    @Test(arguments: [-.infinity, .infinity, .nan, -5, 1e300] as [Double]) func anyNumberIsSomeText(value: Double) {
        for text in [Quantity.count(value), Quantity.bytes(value), Quantity.time(value), Quantity.age(value)] {
            #expect(!text.isEmpty)
        }
    }
}
