import Foundation
import Testing

@testable import Observability

@Suite struct StatusReportTests {
    @Test func saysWhatTheSnapshotSays() throws {
        let route = MadeUp.route("web", protocol: "http", app: Snapshot.AppState(.down, since: MadeUp.startTime)) {
            $0.connections = 12
            $0.bytesToApp = 34
            $0.bytesToClient = 56
            $0.requests.byClass[2] = 7
            $0.failures[.appNotListening] = 2
            $0.failures[.noAnswer] = 1
        }
        var history = History()
        let earlier = MadeUp.route("web", protocol: "http") { $0.failures[.appNotListening] = 2 }
        history.record(MadeUp.snapshot(after: 59, [earlier]))
        let snapshot = MadeUp.snapshot([route])
        history.record(snapshot)
        let report = StatusReport(snapshot, history: history)
        let json = try #require(
            JSONSerialization.jsonObject(with: Data(try JSONText.encode(report))) as? [String: Any])
        #expect(json["version"] as? String == "1.2.3")
        #expect(json["state"] as? String == "running")
        #expect(json["start_time"] as? Double == 1_795_252_000.5)
        #expect(json["dropped_log_lines"] as? Int == 3)
        #expect((json["process"] as? [String: Any])?["open_descriptors"] as? Int == 42)
        let message = try #require((json["messages"] as? [[String: Any]])?.first)
        #expect(message["text"] as? String == "something is odd")
        let web = try #require((json["routes"] as? [[String: Any]])?.first)
        #expect(web["upstream"] as? String == "localhost:8000")
        #expect((web["app"] as? [String: Any])?["presence"] as? String == "down")
        #expect((web["totals"] as? [String: Any])?["bytes_to_client"] as? Int == 56)
        #expect((web["totals"] as? [String: Any])?["requests"] as? Int == 7)
        #expect((web["queued"] as? [String: Any])?["limit"] as? Int == 1000)
        #expect((web["upstream_connections"] as? [String: Any])?["limit"] == nil)
        #expect((web["latest"] as? [String: Any])?["requests_per_second"] as? Double == 7)
        #expect((web["latest"] as? [String: Any])?["is_app_up"] as? Bool == false)
        // The latest first, and what came before the first look last, without a time.
        let failures = try #require(web["failures"] as? [[String: Any]])
        #expect(failures.map { $0["cause"] as? String } == ["no_answer", "app_not_listening"])
        #expect(failures[0]["last_time"] as? Double == 1_795_252_060.5)
        #expect(failures[1]["last_time"] == nil)
        #expect(failures[1]["explanation"] as? String == FailureCause.appNotListening.explanation)
    }

    @Test func tellsOfDatagramsWhereThereAreAny() throws {
        func route(_ count: UInt64) -> Snapshot.Route {
            MadeUp.route("dns", protocol: "udp") {
                $0.datagrams.toApp = count
                $0.datagrams.toClient = count / 2
            }
        }
        var history = History()
        history.record(MadeUp.snapshot(after: 58, [route(10), MadeUp.route("web")]))
        let snapshot = MadeUp.snapshot([route(16), MadeUp.route("web")])
        history.record(snapshot)
        let routes = StatusReport(snapshot, history: history).routes
        #expect(routes[0].totals.datagramsToApp == 16 && routes[0].totals.datagramsToClient == 8)
        #expect(routes[0].latest?.datagramsToAppPerSecond == 3)
        #expect(routes[0].latest?.datagramsToClientPerSecond == 1.5)
        #expect(routes[1].totals.datagramsToApp == nil && routes[1].latest?.datagramsToAppPerSecond == nil)
    }

    /// Names of routes are no names of ours: they stay as they are.
    @Test func readsItselfAgain() throws {
        var history = History()
        history.record(MadeUp.snapshot(after: 0, [MadeUp.route("myRoute_a B")]))
        history.record(MadeUp.snapshot(after: 1, [MadeUp.route("myRoute_a B")]))
        let report = history.report(after: nil, startTime: MadeUp.startTime)
        let text = try JSONText.encode(report)
        #expect(String(decoding: text, as: UTF8.self).contains("\"myRoute_a B\""))
        let read = try JSONText.decode(HistoryReport.self, from: text)
        #expect(read.routes["myRoute_a B"]?.count == 1)
        #expect(read.startTime == report.startTime)
        #expect(try JSONText.encode(read) == text)
        let status = StatusReport(MadeUp.snapshot(isDraining: true, [MadeUp.route()]), history: history)
        #expect(try JSONText.decode(StatusReport.self, from: try JSONText.encode(status)).state == "draining")
    }
}
