import Foundation
import FoundationXML
import Testing

@testable import Comparison

/// A run in which ours reaches some goals and misses others.
private func exampleResults() -> Results {
    let participants = [
        Results.Participant(name: "direct", title: "direct", role: .direct, mode: .tcp),
        Results.Participant(name: "limit", title: "the limit", role: .limit, mode: .tcp),
        Results.Participant(name: "loopbridge", title: "loopbridge", role: .ours, mode: .tcp, version: "1.0"),
        Results.Participant(name: "haproxy", title: "HAProxy", role: .peer, mode: .tcp, version: "2.6"),
        Results.Participant(name: "odd", title: "<odd> & \"co\"", role: .peer, mode: .tcp),
    ]
    let machine = Machine(
        processor: "a processor", processors: 2, memoryGiB: 24, kernel: "6.18", system: "Debian", tools: ["wrk": "4.1"],
        date: "2026-01-02 03:04")
    var results = Results(
        machine: machine, settings: Settings(), participants: participants, missing: ["Envoy is left out"])
    let bulk = Scenario.bulk(.download, streams: 1)
    func add(_ scenario: Scenario, _ peer: String, _ round: Int, _ figures: [Metric: Double]) {
        results.measurements.append(
            Results.Measurement(topology: .veth, scenario: scenario, peer: peer, round: round, figures: figures))
    }
    for (round, noise) in [(1, -1.0), (2, 0.0), (3, 2.0)] {
        add(bulk, "direct", round, [.gigabitsPerSecond: 20 + noise])
        add(bulk, "limit", round, [.gigabitsPerSecond: 19.5, .cpuSecondsPerGiB: 0.20])
        add(bulk, "loopbridge", round, [.gigabitsPerSecond: 19 + noise, .cpuSecondsPerGiB: 0.25])
        add(bulk, "haproxy", round, [.gigabitsPerSecond: 10 + noise, .cpuSecondsPerGiB: 0.62])
        add(bulk, "odd", round, [.gigabitsPerSecond: 9, .cpuSecondsPerGiB: 0.50])
        add(.latency(.tcp), "loopbridge", round, [.p50: 50, .p99: 130, .p999: 500])
        add(.latency(.tcp), "haproxy", round, [.p50: 60, .p99: 120, .p999: 400])
    }
    add(.connections(.tcp), "loopbridge", 1, [.callsPerRequest: 14.0])
    results.measurements.append(
        Results.Measurement(
            topology: .veth, scenario: .latency(.tcp), peer: "odd", round: 1, failure: "it exited with 1: <no> port"))
    return results
}

/// A run in which a third proxy is better than both of those that the goals with HTTP name.
private func exampleHTTPResults() -> Results {
    var results = exampleResults()
    results.measurements = []
    results.participants += [
        Results.Participant(name: "loopbridge", title: "loopbridge", role: .ours, mode: .http),
        Results.Participant(name: "haproxy", title: "HAProxy", role: .peer, mode: .http),
        Results.Participant(name: "nginx", title: "nginx", role: .peer, mode: .http),
        Results.Participant(name: "third", title: "Third", role: .peer, mode: .http),
    ]
    let figures: [(String, Double, Double, Double)] = [
        ("loopbridge", 21_000, 30, 8.9), ("haproxy", 20_000, 33, 8.8), ("nginx", 15_000, 24, 10),
        ("third", 42_000, 15, 7),
    ]
    for (peer, rate, cpu, calls) in figures {
        results.measurements.append(
            Results.Measurement(
                topology: .veth, scenario: .connections(.http), peer: peer, round: 1,
                figures: [.requestsPerSecond: rate, .cpuMicrosecondsPerRequest: cpu, .callsPerRequest: calls]))
    }
    return results
}

@Suite struct ResultsTests {
    private let bulk = Scenario.bulk(.download, streams: 1)

    @Test func theBestPeerIsNeitherOursNorTheLimitNorDirect() throws {
        let results = exampleResults()
        #expect(try #require(results.best(.veth, bulk, .gigabitsPerSecond)).peer.name == "haproxy")
        #expect(try #require(results.best(.veth, bulk, .cpuSecondsPerGiB)).peer.name == "odd")
        #expect(results.best(.loopback, bulk, .gigabitsPerSecond) == nil)
    }

    @Test func aSpreadIsThatOfTheRounds() throws {
        let spread = try #require(exampleResults().spread(.veth, bulk, "loopbridge", .gigabitsPerSecond))
        #expect(spread == Spread([18, 19, 21]))
    }
}

@Suite struct GoalTests {
    private func goal(_ what: String, in results: Results = exampleResults()) throws -> Goal {
        try #require(Goal.all(results).first { $0.what == what })
    }

    @Test func goalsWithHTTPNameTheBetterOfTwoPeers() throws {
        let results = exampleHTTPResults()
        let rate = try goal("HTTP: requests, one per connection, to HAProxy or nginx", in: results)
        #expect(rate.outcome == .holds)
        #expect(rate.reached == "1.05 (21,000 to 20,000/s, HAProxy)")
        let cpu = try goal("HTTP: proxy CPU per request, one per connection, to HAProxy or nginx", in: results)
        #expect(cpu.outcome == .missed)
        #expect(cpu.reached == "1.25 (30.0 to 24.0 µs, nginx)")
        #expect(try goal("HTTP: system calls, one request per connection", in: results).outcome == .missed)
    }

    @Test func onlyTheModesThatWereMeasuredHaveGoals() {
        #expect(Goal.all(exampleResults()).allSatisfy { !$0.what.hasPrefix("HTTP") })
        #expect(Goal.all(exampleHTTPResults()).allSatisfy { $0.what.hasPrefix("HTTP") })
    }

    @Test func aRatioThatIsHighEnoughHolds() throws {
        let goal = try goal("Bulk, 1 stream, to direct")
        #expect(goal.outcome == .holds)
        #expect(goal.reached == "0.95 (19.0 to 20.0 Gbit/s)")
    }

    @Test func aRatioThatIsTooHighIsMissed() throws {
        #expect(try goal("Proxy CPU per GiB, to the limit").outcome == .missed)
        let latency = try goal("p99 at a fixed rate, to the best peer")
        #expect(latency.outcome == .missed)
        #expect(latency.reached == "1.08 (130 to 120 µs, HAProxy)")
    }

    @Test func aValueAtTheLimitHolds() throws {
        #expect(try goal("System calls, one request per connection").outcome == .holds)
    }

    @Test func whatWasNotMeasuredIsUnknown() throws {
        #expect(try goal("Memory per idle connection").outcome == .unknown)
        #expect(try goal("Bulk, 64 streams, to the best peer").outcome == .unknown)
    }
}

@Suite struct MarkdownReportTests {
    private let text = MarkdownReport(results: exampleResults(), plots: []).text

    @Test func withHTTPThereIsARatioToTheBetterOfTwoPeersToo() throws {
        let text = MarkdownReport(results: exampleHTTPResults(), plots: []).text
        func cells(_ start: String) throws -> [String] {
            try #require(text.split(separator: "\n").last { $0.hasPrefix("| \(start)") })
                .split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        #expect(text.contains("## HTTP: one request per connection, across veth"))
        #expect(try cells("loopbridge") == ["loopbridge", "21,000", "1.05", "0.50", "30.0", "1.25", "2.00", "8.90"])
        // The namesakes of the other mode have no part in it.
        #expect(text.components(separatedBy: "\n| loopbridge").count == 2)
        #expect(text.contains("Compared with HTTP: loopbridge, HAProxy, nginx, Third.") && !text.contains("with TCP"))
    }

    @Test func rowsHaveMedianSpreadAndRatios() throws {
        let row = try #require(text.split(separator: "\n").first { $0.hasPrefix("| loopbridge") })
        let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        #expect(cells == ["loopbridge", "19.0 (18.0 to 21.0)", "0.95", "1.90", "0.250 (0.250 to 0.250)", "0.50"])
    }

    @Test func theBestComesFirst() throws {
        let titles = text.split(separator: "\n").filter { $0.contains(" to ") && $0.hasPrefix("| ") }
            .compactMap { $0.split(separator: "|").first?.trimmingCharacters(in: .whitespaces) }
        let places = try ["direct", "the limit", "loopbridge", "HAProxy"].map {
            try #require(titles.firstIndex(of: $0))
        }
        #expect(places == places.sorted())
    }

    @Test func failuresAndWhatIsMissingAreTold() {
        #expect(text.contains("- <odd> & \"co\" failed: it exited with 1: <no> port"))
        #expect(text.contains("Envoy is left out"))
        #expect(text.contains("Linux 6.18"))
    }

    @Test func columnsOfATableAreAligned() {
        var table = MarkdownTable(["", "figure"])
        table.add(["a|b", "1,000.5"])
        table.add(["µ", "2"])
        #expect(
            table.text == """
                |      |  figure |
                | ---- | ------: |
                | a\\|b | 1,000.5 |
                | µ    |       2 |
                """)
    }
}

@Suite struct JSONReportTests {
    @Test func canBeReadAgain() throws {
        let report = try JSONDecoder().decode(JSONReport.self, from: JSONReport(exampleResults()).encoded())
        let cell = try #require(
            report.cells.first { $0.peer == "loopbridge" && $0.metric == .gigabitsPerSecond && $0.topology == .veth })
        #expect(cell.spread == Spread([18, 19, 21]))
        #expect(cell.toDirect == 0.95)
        #expect(cell.toBestPeer == 1.9)
        #expect(report.results.failures.count == 1)
        #expect(report.goals == Goal.all(exampleResults()))
    }
}

@Suite struct PlotTests {
    /// Counts elements, and notes what keeps a file from being XML.
    private final class Counter: NSObject, XMLParserDelegate {
        var elements: [String: Int] = [:]
        var text = ""

        func parser(
            _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
            attributes: [String: String]
        ) {
            elements[name, default: 0] += 1
        }

        func parser(_ parser: XMLParser, foundCharacters string: String) {
            text += string
        }
    }

    @Test func everyPlotIsWellFormed() throws {
        let plots = Plot.all(exampleResults())
        #expect(plots.map(\.fileName) == ["bulk-veth.svg", "bulk-cpu-veth.svg", "calls-veth.svg", "latency-veth.svg"])
        for plot in plots {
            let parser = XMLParser(data: Data(plot.svg.utf8))
            let counter = Counter()
            parser.delegate = counter
            #expect(parser.parse(), "\(plot.fileName): \(parser.parserError.map { "\($0)" } ?? "")")
            #expect(counter.elements["svg"] == 1 && counter.elements["title"] == 1)
            // One for the paper, and one for each bar.
            let bars = plot.panels.flatMap(\.bars).filter { $0.spread != nil }.count
            #expect(counter.elements["rect"] == 1 + bars)
        }
    }

    @Test func modesHavePlotsOfTheirOwn() throws {
        let plots = Plot.all(exampleHTTPResults())
        #expect(
            plots.map(\.fileName) == ["http-requests-veth.svg", "http-requests-cpu-veth.svg", "http-calls-veth.svg"])
        #expect(plots.allSatisfy { $0.panels.count == 1 && $0.panels[0].bars.count == 4 })
    }

    @Test func namesAreEscaped() throws {
        let plot = try #require(Plot.all(exampleResults()).first)
        #expect(plot.svg.contains("&lt;odd&gt; &amp; &quot;co&quot;"))
    }

    @Test func whoFailedIsShownLast() throws {
        let plot = try #require(Plot.all(exampleResults()).first { $0.fileName == "latency-veth.svg" })
        for panel in plot.panels {
            #expect(panel.bars.last?.participant.name == "odd")
            #expect(panel.bars.last?.spread == nil)
        }
    }
}

@Suite struct MetricTests {
    @Test(arguments: [
        (Metric.gigabitsPerSecond, 19.04, "19.0"), (.requestsPerSecond, 27146.4, "27,146"),
        (.requestsPerSecond, 1_234_567, "1,234,567"), (.cpuSecondsPerGiB, 0.2468, "0.247"),
        (.callsPerRequest, 4.3, "4.30"), (.p99, 130.4, "130"),
    ])
    func hasAsManyDigitsAsMeanSomething(_ metric: Metric, _ value: Double, _ text: String) {
        #expect(metric.format(value) == text)
    }
}

@Suite struct ScenarioTests {
    @Test func namesAreUniqueAndFoundAgain() {
        #expect(Set(Scenario.all.map(\.name)).count == Scenario.all.count)
        for scenario in Scenario.all { #expect(Scenario(name: scenario.name) == scenario) }
        #expect(Scenario(name: "download-2") == nil)
    }

    @Test func loopbackHasEveryMode() {
        #expect(Set(Scenario.onLoopback.map(\.mode)) == Set(Mode.allCases))
        #expect(Set(Scenario.onLoopbackQuickly.map(\.mode)) == [.tcp, .http])
        #expect(Set(Scenario.quick.map(\.mode)) == Set(Mode.allCases))
    }

    @Test func everyPeerOfAModeDoesItsScenariosOnly() {
        let quick = Settings.quick
        let peer = Peer(
            name: "x", title: "x", role: .peer, mode: .http, command: [], environment: [:], folder: nil, version: nil)
        let done = Scenario.all.filter { quick.includes($0, peer) }
        #expect(done == [.requests(.http, connections: 1)])
        #expect(Scenario.all.filter { Settings().includes($0, peer) }.map(\.mode) == Array(repeating: .http, count: 5))
    }
}
