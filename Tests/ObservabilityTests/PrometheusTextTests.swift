import Testing

@testable import Observability

@Suite struct PrometheusTextTests {
    private static func lines(_ snapshot: Snapshot, as format: PrometheusText.Format = .text) -> [String] {
        String(decoding: PrometheusText.render(snapshot, as: format), as: UTF8.self).split(separator: "\n").map(
            String.init)
    }

    /// The samples of a family, without the lines that describe it.
    private static func samples(_ name: String, _ snapshot: Snapshot) -> [String] {
        lines(snapshot).filter { $0.hasPrefix("\(name){") || $0.hasPrefix("\(name) ") }
    }

    /// Every family with its type, as it is promised to those who write queries.
    @Test func hasEveryFamily() {
        let http = MadeUp.route(
            "web", protocol: "http", app: Snapshot.AppState(.up, since: MadeUp.startTime))
        var bounded = http
        bounded.upstreamConnectionLimit = 8
        let families = Self.lines(MadeUp.snapshot([bounded])).filter { $0.hasPrefix("# TYPE ") }
            .map { $0.dropFirst("# TYPE ".count) }
        #expect(
            families.sorted() == [
                "loopbridge_app_changed_timestamp_seconds gauge", "loopbridge_app_up gauge",
                "loopbridge_build_info gauge", "loopbridge_bytes_total counter",
                "loopbridge_clients_held gauge", "loopbridge_clients_queued gauge",
                "loopbridge_clients_queued_limit gauge", "loopbridge_configuration_timestamp_seconds gauge",
                "loopbridge_connect_duration_seconds histogram", "loopbridge_connection_duration_seconds histogram",
                "loopbridge_connections gauge", "loopbridge_connections_ended_total counter",
                "loopbridge_connections_limit gauge", "loopbridge_connections_total counter",
                "loopbridge_draining gauge", "loopbridge_event_loop_lag_seconds gauge",
                "loopbridge_failures_total counter", "loopbridge_first_byte_duration_seconds histogram",
                "loopbridge_last_reload_successful gauge", "loopbridge_log_lines_dropped_total counter",
                "loopbridge_parked_bytes gauge", "loopbridge_pool_evictions_total counter",
                "loopbridge_pool_hits_total counter", "loopbridge_pool_misses_total counter",
                "loopbridge_pool_stale_total counter", "loopbridge_reloads_total counter",
                "loopbridge_request_duration_seconds histogram", "loopbridge_request_size_bytes histogram",
                "loopbridge_requests_total counter", "loopbridge_response_size_bytes histogram",
                "loopbridge_upstream_connections gauge", "loopbridge_upstream_connections_limit gauge",
                "loopbridge_wait_duration_seconds histogram", "loopbridge_worker_connections gauge",
                "process_cpu_seconds_total counter", "process_max_fds gauge", "process_open_fds gauge",
                "process_resident_memory_bytes gauge", "process_start_time_seconds gauge", "process_threads gauge",
                "process_virtual_memory_bytes gauge",
            ])
    }

    @Test func saysEachFamilyOnceAndTogether() {
        for format in [PrometheusText.Format.text, .openMetrics] {
            let all = Self.lines(
                MadeUp.snapshot([MadeUp.route("a", protocol: "http"), MadeUp.route("b")]), as: format)
            let helps = all.filter { $0.hasPrefix("# HELP ") }.map { $0.split(separator: " ")[2] }
            #expect(Set(helps).count == helps.count)
            // What was left once does not come again.
            var seen: [Substring] = []
            for line in all where !line.hasPrefix("#") {
                let name = line.prefix { $0 != "{" && $0 != " " }
                let suffix = ["_bucket", "_sum", "_count"].first { name.hasSuffix($0) } ?? ""
                let family = name.dropLast(suffix.count)
                if seen.last != family {
                    #expect(!seen.contains(family), "\(family)")
                    seen.append(family)
                }
            }
        }
    }

    @Test func showsWhatTheSnapshotSays() {
        let route = MadeUp.route("web") { counters in
            counters.connections = 12
            counters.endedConnections = 5
            counters.bytesToApp = 1 << 40
            counters.bytesToClient = 7
            counters.pool.hits = 1
            counters.pool.misses = 2
            counters.pool.evictions = 3
            counters.pool.stale = 4
        }
        let snapshot = MadeUp.snapshot([route])
        let expected = [
            "loopbridge_build_info{version=\"1.2.3\"} 1", "loopbridge_draining 0",
            "loopbridge_connections_total{route=\"web\"} 12", "loopbridge_connections{route=\"web\"} 7",
            "loopbridge_connections_limit{route=\"web\"} 10000",
            "loopbridge_connections_ended_total{route=\"web\"} 5",
            "loopbridge_bytes_total{route=\"web\",direction=\"to_app\"} 1099511627776",
            "loopbridge_bytes_total{route=\"web\",direction=\"to_client\"} 7",
            "loopbridge_clients_held{route=\"web\"} 1", "loopbridge_clients_queued{route=\"web\"} 2",
            "loopbridge_clients_queued_limit{route=\"web\"} 1000",
            "loopbridge_upstream_connections{route=\"web\",state=\"used\"} 4",
            "loopbridge_upstream_connections{route=\"web\",state=\"idle\"} 5",
            "loopbridge_upstream_connections{route=\"web\",state=\"spare\"} 6",
            "loopbridge_pool_hits_total{route=\"web\"} 1", "loopbridge_pool_misses_total{route=\"web\"} 2",
            "loopbridge_pool_evictions_total{route=\"web\"} 3", "loopbridge_pool_stale_total{route=\"web\"} 4",
            "loopbridge_app_up{route=\"web\"} 1", "loopbridge_event_loop_lag_seconds{worker=\"0\"} 0.002",
            "loopbridge_parked_bytes{worker=\"0\"} 4096", "loopbridge_worker_connections{worker=\"0\"} 7",
            "loopbridge_log_lines_dropped_total 3", "loopbridge_reloads_total{result=\"success\"} 0",
            "loopbridge_reloads_total{result=\"failure\"} 0", "loopbridge_last_reload_successful 1",
            "loopbridge_configuration_timestamp_seconds 1795252000.5", "process_cpu_seconds_total 1.25",
            "process_open_fds 42", "process_max_fds 1024", "process_resident_memory_bytes 8388608",
            "process_virtual_memory_bytes 16777216", "process_start_time_seconds 1795252000.5", "process_threads 4",
        ]
        let lines = Set(Self.lines(snapshot))
        for line in expected { #expect(lines.contains(line), "\(line)") }
        // What is unbounded or has not happened is left out, with its description.
        #expect(!lines.contains { $0.contains("upstream_connections_limit") || $0.contains("app_changed") })
    }

    @Test func writesHistograms() {
        let route = MadeUp.route("web") { counters in
            for duration in [Duration.microseconds(50), .milliseconds(1), .milliseconds(1), .seconds(1000)] {
                counters.connectTime.count(duration)
            }
        }
        let name = "loopbridge_connect_duration_seconds"
        let lines = Self.lines(MadeUp.snapshot([route])).filter { $0.hasPrefix(name) }
        #expect(lines.first == "\(name)_bucket{route=\"web\",le=\"0.0001\"} 1")
        #expect(lines.contains("\(name)_bucket{route=\"web\",le=\"0.00063\"} 1"))
        #expect(lines.contains("\(name)_bucket{route=\"web\",le=\"0.001\"} 3"))
        #expect(lines.contains("\(name)_bucket{route=\"web\",le=\"1.0\"} 3"))
        #expect(
            lines.suffix(4) == [
                "\(name)_bucket{route=\"web\",le=\"100.0\"} 3", "\(name)_bucket{route=\"web\",le=\"+Inf\"} 4",
                "\(name)_sum{route=\"web\"} 1000.00205", "\(name)_count{route=\"web\"} 4",
            ])
        #expect(lines.count == DurationScale.bounds.count + 3)
    }

    @Test func writesBoundsAsOpenMetricsWantsThem() {
        #expect(MetricsWriter.canonical(64) == "64.0")
        #expect(MetricsWriter.canonical(0.00016) == "0.00016")
        #expect(MetricsWriter.canonical(262_144) == "262144.0")
        #expect(MetricsWriter.canonical(1e6) == "1e+06")
        #expect(MetricsWriter.canonical(1_048_576) == "1.048576e+06")
        #expect(MetricsWriter.canonical(4_294_967_296) == "4.294967296e+09")
        #expect(MetricsWriter.canonical(1e12) == "1e+12")
    }

    @Test func countsRequestsByClass() {
        let route = MadeUp.route("web", protocol: "http") { counters in
            counters.requests.byClass[0] = 1
            counters.requests.byClass[2] = 22
            counters.requests.byClass[5] = 5
        }
        #expect(
            Self.samples("loopbridge_requests_total", MadeUp.snapshot([route])).map { $0.split(separator: ",")[1] }
                == [
                    "code=\"1xx\"} 0", "code=\"2xx\"} 22", "code=\"3xx\"} 0", "code=\"4xx\"} 0", "code=\"5xx\"} 5",
                    "code=\"none\"} 1",
                ])
        let onTCP = Self.lines(MadeUp.snapshot([MadeUp.route()]))
        #expect(!onTCP.contains { $0.contains("_request") || $0.contains("_response") || $0.contains("first_byte") })
    }

    /// All causes that can occur are there from the start, so that a rate can be made of the first one.
    @Test func showsCausesThatHaveNotOccurred() {
        let name = "loopbridge_failures_total"
        #expect(
            Self.samples(name, MadeUp.snapshot([MadeUp.route(protocol: "http")])).count
                == FailureCause.allCases.count - 6)
        let onTCP = Self.samples(name, MadeUp.snapshot([MadeUp.route { $0.failures[.appBusy] = 3 }]))
        #expect(onTCP.count == 21)
        #expect(onTCP.contains("\(name){route=\"web\",cause=\"app_busy\"} 3"))
        #expect(!onTCP.contains { $0.contains("head_timeout") })
        // A reload may have made another route of the same name.
        #expect(Self.samples(name, MadeUp.snapshot([MadeUp.route { $0.failures[.headTimeout] = 1 }])).count == 22)
    }

    @Test func tellsOfDatagramsWhereThereAreAny() {
        let route = MadeUp.route("dns", protocol: "udp") { counters in
            counters.datagrams.toApp = 3
            counters.datagrams.toClient = 2
            counters.failures[.flowLimit] = 1
        }
        let snapshot = MadeUp.snapshot([MadeUp.route(), route])
        #expect(
            Self.samples("loopbridge_datagrams_total", snapshot) == [
                "loopbridge_datagrams_total{route=\"dns\",direction=\"to_app\"} 3",
                "loopbridge_datagrams_total{route=\"dns\",direction=\"to_client\"} 2",
            ])
        let causes = Self.samples("loopbridge_failures_total", snapshot).filter { $0.contains("\"dns\"") }
        #expect(causes.count == 15)
        #expect(causes.contains("loopbridge_failures_total{route=\"dns\",cause=\"flow_limit\"} 1"))
        #expect(!causes.contains { $0.contains("queue_full") })
    }

    @Test func leavesOutWhatIsUnknown() {
        let unknown = MadeUp.route("far", app: Snapshot.AppState(.unknown))
        let down = MadeUp.route("near", app: Snapshot.AppState(.down, since: MadeUp.startTime))
        let snapshot = MadeUp.snapshot([unknown, down])
        #expect(Self.samples("loopbridge_app_up", snapshot) == ["loopbridge_app_up{route=\"near\"} 0"])
        #expect(
            Self.samples("loopbridge_app_changed_timestamp_seconds", snapshot)
                == ["loopbridge_app_changed_timestamp_seconds{route=\"near\"} 1795252000.5"])
        #expect(Self.samples("loopbridge_app_up", MadeUp.snapshot([])).isEmpty)
    }

    @Test func escapesNames() {
        let route = MadeUp.route("a \"b\"\\c\nd ü")
        #expect(
            Self.samples("loopbridge_connections", MadeUp.snapshot([route]))
                == ["loopbridge_connections{route=\"a \\\"b\\\"\\\\c\\nd ü\"} 7"])
    }

    @Test func speaksOpenMetrics() {
        let snapshot = MadeUp.snapshot([MadeUp.route("web", protocol: "http")])
        let plain = Self.lines(snapshot)
        let open = Self.lines(snapshot, as: .openMetrics)
        // The samples are the same, so that no query depends on what a server asked for.
        #expect(open.filter { !$0.hasPrefix("#") } == plain.filter { !$0.hasPrefix("#") })
        #expect(open.last == "# EOF")
        #expect(!plain.contains("# EOF"))
        #expect(!plain.contains { $0.hasPrefix("# UNIT") })
        for line in [
            "# TYPE loopbridge_build info", "# TYPE loopbridge_bytes counter", "# UNIT loopbridge_bytes bytes",
            "# TYPE loopbridge_connections gauge", "# TYPE loopbridge_connections_total unknown",
            "# TYPE loopbridge_connections_ended counter", "# UNIT process_cpu_seconds seconds",
            "# UNIT loopbridge_connect_duration_seconds seconds",
        ] {
            #expect(open.contains(line), "\(line)")
        }
        // A unit is the end of its family's name.
        for line in open where line.hasPrefix("# UNIT ") {
            let words = line.split(separator: " ")
            #expect(words[2].hasSuffix("_\(words[3])"), "\(line)")
        }
        #expect(String(decoding: PrometheusText.render(snapshot, as: .openMetrics), as: UTF8.self).hasSuffix("# EOF\n"))
    }

    @Test(arguments: [
        (nil, PrometheusText.Format.text), ("*/*", .text), ("text/html, */*;q=0.8", .text), ("", .text),
        ("text/plain", .text), ("application/openmetrics-text", .openMetrics),
        ("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", .openMetrics),
        ("application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", .openMetrics),
        ("application/openmetrics-text;version=2.0.0,text/plain;version=0.0.4;q=0.5", .text),
        ("application/openmetrics-text;q=0.4, text/plain;q=0.5", .text),
        ("text/plain;q=0.4, APPLICATION/OpenMetrics-Text;q=0.5", .openMetrics),
        ("application/openmetrics-text;q=0", .text), ("application/openmetrics-text;q=nan", .text),
        ("application/openmetrics-text;q=7, garbage;;,,;q=", .text), ("application/*", .text),
    ])
    func choosesByAccept(_ accept: String?, _ format: PrometheusText.Format) {
        #expect(PrometheusText.Format(accept: accept) == format)
    }
}
