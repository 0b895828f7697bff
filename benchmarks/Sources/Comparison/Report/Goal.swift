/// Something that the product shall reach, and whether it did.
public struct Goal: Codable, Sendable, Equatable {
    public enum Outcome: String, Codable, Sendable {
        case holds
        case missed
        /// The run did not measure what it takes.
        case unknown = "not measured"
    }

    public var what: String
    public var goal: String
    public var reached: String
    public var outcome: Outcome

    /// All goals of the modes that a run has measured. Ratios are between medians, across veth.
    static func all(_ results: Results) -> [Goal] {
        results.modes.flatMap { mode in
            switch mode {
            case .tcp: tcp(results)
            case .http: http(results)
            case .tls: tls(results)
            case .udp: udp(results)
            }
        }
    }

    private static func tls(_ results: Results) -> [Goal] {
        let figures = Figures(results: results)
        let loads: [(String, Scenario)] = [
            ("on 64 kept connections", .requests(.tls, connections: 64)),
            ("one per connection, as wrk resumes sessions", .connections(.tls)),
            ("one per connection, whole handshakes", .handshakes(resumed: false)),
            ("one per connection, sessions resumed", .handshakes(resumed: true)),
        ]
        return [
            figures.ratioToRival("TLS: bulk", .secureBulk, .gigabitsPerSecond, 1),
            figures.ratioToRival("TLS: proxy CPU per GiB", .secureBulk, .cpuSecondsPerGiB, 1),
        ]
            + loads.map { figures.ratioToRival("TLS: requests, \($0)", $1, .requestsPerSecond, 1) }
            + loads.map {
                figures.ratioToRival("TLS: proxy CPU per request, \($0)", $1, .cpuMicrosecondsPerRequest, 1)
            }
    }

    private static func udp(_ results: Results) -> [Goal] {
        let figures = Figures(results: results)
        let loads = Scenario.all.filter { $0.mode == .udp }
        return loads.map {
            figures.ratio("\($0.title): datagrams, to the best peer", $0, .datagramsPerSecond, to: .peer, 1)
        }
            + loads.map {
                figures.ratio(
                    "\($0.title): proxy CPU per datagram, to the best peer", $0, .cpuMicrosecondsPerDatagram, to: .peer,
                    1)
            }
    }

    private static func http(_ results: Results) -> [Goal] {
        let figures = Figures(results: results)
        let loads: [(String, Scenario)] = [
            ("on 1 kept connection", .requests(.http, connections: 1)),
            ("on 64 kept connections", .requests(.http, connections: 64)),
            ("one per connection", .connections(.http)),
        ]
        return loads.map { figures.ratioToRival("HTTP: requests, \($0)", $1, .requestsPerSecond, 1) }
            + loads.map {
                figures.ratioToRival("HTTP: proxy CPU per request, \($0)", $1, .cpuMicrosecondsPerRequest, 1)
            }
            + [
                figures.value(
                    "HTTP: system calls, one request per connection", .connections(.http), .callsPerRequest, 8.8)
            ]
    }

    private static func tcp(_ results: Results) -> [Goal] {
        let figures = Figures(results: results)
        let one = Scenario.bulk(.download, streams: 1)
        let many = Scenario.bulk(.download, streams: 64)
        let kept = Scenario.requests(.tcp, connections: 64)
        let each = Scenario.connections(.tcp)
        return [
            figures.ratio("Bulk, 1 stream, to direct", one, .gigabitsPerSecond, to: .direct, 0.95),
            figures.ratio("Bulk, 1 stream, to the best peer", one, .gigabitsPerSecond, to: .peer, 1.15),
            figures.ratio("Proxy CPU per GiB, to the best peer", one, .cpuSecondsPerGiB, to: .peer, 0.60),
            figures.ratio("Proxy CPU per GiB, to the limit", one, .cpuSecondsPerGiB, to: .limit, 1.05),
            figures.ratio("Bulk, 64 streams, to the best peer", many, .gigabitsPerSecond, to: .peer, 1.10),
            figures.ratio("Requests on 64 kept connections, to the best peer", kept, .requestsPerSecond, to: .peer, 1),
            figures.ratio(
                "Proxy CPU per request on 64 kept connections, to the best peer", kept, .cpuMicrosecondsPerRequest,
                to: .peer, 1),
            figures.ratio("p99 at a fixed rate, to the best peer", .latency(.tcp), .p99, to: .peer, 1),
            figures.value("System calls, one request per connection", each, .callsPerRequest, 14),
            figures.value("System calls, request on a kept connection", kept, .callsPerRequest, 4.3),
            figures.ratio("One request per connection, to the best peer", each, .requestsPerSecond, to: .peer, 1.05),
            figures.value("Memory per idle connection", .idle, .kilobytesPerConnection, 1.0),
            figures.ratio("Exec to first byte, to HAProxy", .start, .firstByteMilliseconds, to: "haproxy", 1),
            figures.value("Exec to first byte", .start, .firstByteMilliseconds, 15),
        ]
    }
}

/// What goals are judged by.
private struct Figures {
    let results: Results

    private func ours(_ scenario: Scenario, _ metric: Metric) -> Double? {
        results.name(.ours, scenario.mode).flatMap { results.spread(.veth, scenario, $0, metric)?.median }
    }

    /// A figure of ours, at most `limit`.
    func value(_ what: String, _ scenario: Scenario, _ metric: Metric, _ limit: Double) -> Goal {
        let unit = metric.unit.isEmpty ? "" : " " + metric.unit
        let ours = ours(scenario, metric)
        return Goal(
            what: what, goal: "at most \(Metric.fixed(limit, 1))\(unit)",
            reached: ours.map { metric.format($0) + unit } ?? "",
            outcome: ours.map { $0 <= limit ? .holds : .missed } ?? .unknown)
    }

    /// A figure of ours as a ratio to somebody's.
    func ratio(
        _ what: String, _ scenario: Scenario, _ metric: Metric, to role: Peer.Role, _ limit: Double
    ) -> Goal {
        guard role == .peer else {
            return ratio(what, scenario, metric, to: results.name(role, scenario.mode) ?? "", limit)
        }
        let best = results.best(.veth, scenario, metric)
        return ratio(what, ours(scenario, metric), best?.value, best?.peer.title, metric, limit)
    }

    /// A figure of ours as a ratio to that of the better one of HAProxy and nginx.
    func ratioToRival(_ what: String, _ scenario: Scenario, _ metric: Metric, _ limit: Double) -> Goal {
        let rival = results.bestRival(.veth, scenario, metric)
        return ratio(
            "\(what), to HAProxy or nginx", ours(scenario, metric), rival?.value, rival?.peer.title, metric, limit)
    }

    /// A figure of ours as a ratio to that of the peer of that name.
    func ratio(_ what: String, _ scenario: Scenario, _ metric: Metric, to peer: String, _ limit: Double) -> Goal {
        let theirs = results.spread(.veth, scenario, peer, metric)?.median
        return ratio(what, ours(scenario, metric), theirs, nil, metric, limit)
    }

    private func ratio(
        _ what: String, _ ours: Double?, _ theirs: Double?, _ title: String?, _ metric: Metric, _ limit: Double
    ) -> Goal {
        let goal = "at \(metric.lessIsBetter ? "most" : "least") \(Metric.fixed(limit, 2))"
        guard let ours, let theirs, theirs > 0 else {
            return Goal(what: what, goal: goal, reached: "", outcome: .unknown)
        }
        let ratio = ours / theirs
        let holds = metric.lessIsBetter ? ratio <= limit : ratio >= limit
        let unit = metric.unit.isEmpty || metric.unit.hasPrefix("/") ? metric.unit : " " + metric.unit
        return Goal(
            what: what, goal: goal,
            reached: "\(Metric.fixed(ratio, 2)) (\(metric.format(ours)) to \(metric.format(theirs))\(unit)"
                + "\(title.map { ", \($0)" } ?? ""))",
            outcome: holds ? .holds : .missed)
    }
}
