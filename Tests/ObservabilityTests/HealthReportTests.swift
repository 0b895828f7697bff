import Testing

@testable import Observability

@Suite struct HealthReportTests {
    @Test func isWellWhileWorkersAnswer() {
        let well = HealthReport.health(MadeUp.snapshot(workers: [MadeUp.worker(0, loopLag: .seconds(4))], []))
        #expect(well == HealthReport(ok: true, lines: ["ok"]))
        #expect(well.text == "ok\n")
        let stuck = HealthReport.health(
            MadeUp.snapshot(workers: [MadeUp.worker(0), MadeUp.worker(1, loopLag: .seconds(6))], []))
        #expect(stuck == HealthReport(ok: false, lines: ["worker 1 has not answered for 6 s"]))
    }

    @Test func isReadyWhenEveryAppIsThere() {
        let up = MadeUp.route("a")
        let down = MadeUp.route(
            "b", app: Snapshot.AppState(.down, since: Timestamp(secondsSince1970: 1_795_252_048, milliseconds: 0)))
        let unknown = MadeUp.route("c", app: Snapshot.AppState(.unknown))
        #expect(
            HealthReport.readiness(MadeUp.snapshot([up, unknown]))
                == HealthReport(
                    ok: true,
                    lines: [
                        "a: the app at localhost:8000 is listening",
                        "c: the app at localhost:8000 is elsewhere, and only a client's connection tells whether it "
                            + "is listening",
                    ]))
        #expect(
            HealthReport.readiness(MadeUp.snapshot([up, down]))
                == HealthReport(
                    ok: false,
                    lines: [
                        "a: the app at localhost:8000 is listening",
                        "b: the app at localhost:8000 is not listening since 2026-11-21T09:07:28.000Z (for 12 s)",
                    ]))
    }

    @Test func isNotReadyWhileSomebodyIsNotAccepted() {
        var route = MadeUp.route("a")
        route.obstacles = ["worker 1 cannot accept clients yet, and tries again (epoll_ctl: No space left on device)"]
        #expect(
            HealthReport.readiness(MadeUp.snapshot([route]))
                == HealthReport(
                    ok: false,
                    lines: [
                        "a: the app at localhost:8000 is listening",
                        "a: worker 1 cannot accept clients yet, and tries again (epoll_ctl: No space left on device)",
                    ]))
    }

    @Test(arguments: [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (3 * 86400, "3 d")])
    func saysForHowLong(seconds: Int, words: String) {
        let down = MadeUp.route("b", app: Snapshot.AppState(.down, since: MadeUp.startTime))
        let report = HealthReport.readiness(MadeUp.snapshot(after: seconds, [down]))
        #expect(report.lines.first?.hasSuffix("(for \(words))") == true)
    }

    @Test func isNotReadyWithoutRoutesOrAtTheEnd() {
        #expect(
            HealthReport.readiness(MadeUp.snapshot(findsRoutes: true, []))
                == HealthReport(ok: false, lines: ["nothing is bridged yet"]))
        #expect(
            HealthReport.readiness(MadeUp.snapshot([])) == HealthReport(ok: false, lines: ["there is no route"]))
        #expect(
            HealthReport.readiness(MadeUp.snapshot(isDraining: true, [MadeUp.route()]))
                == HealthReport(ok: false, lines: ["draining: no client is accepted any more"]))
    }
}
