internal import EventLoop

/// `/healthz` and `/readyz`: whether all is well, and what is not, in sentences.
public struct HealthReport: Codable, Sendable, Equatable {
    /// Whether the answer is 200 and not 503.
    public var ok: Bool
    /// One for each thing that there is to say.
    public var lines: [String]

    /// A worker that is silent for so long hangs.
    static let longestLag = Duration.seconds(5)

    /// The lines as text.
    public var text: String { lines.map { "\($0)\n" }.joined() }

    /// Whether the program itself works: every worker takes its messages.
    public static func health(_ snapshot: Snapshot) -> HealthReport {
        let stuck = snapshot.workers.filter { $0.loopLag >= longestLag }
        guard !stuck.isEmpty else { return HealthReport(ok: true, lines: ["ok"]) }
        return HealthReport(
            ok: false,
            lines: stuck.map { worker in
                "worker \(worker.number) has not answered for \(inWords(worker.loopLag / .seconds(1)))"
            })
    }

    /// Whether clients that come now are served: every route's app is there, as far as that can be known.
    public static func readiness(_ snapshot: Snapshot) -> HealthReport {
        if snapshot.program.isDraining {
            return HealthReport(ok: false, lines: ["draining: no client is accepted any more"])
        }
        guard !snapshot.routes.isEmpty else {
            return HealthReport(
                ok: false, lines: [snapshot.program.findsRoutes ? "nothing is bridged yet" : "there is no route"])
        }
        return HealthReport(
            ok: snapshot.routes.allSatisfy { $0.app.presence != .down },
            lines: snapshot.routes.map { line(for: $0, now: snapshot.time) })
    }

    private static func line(for route: Snapshot.Route, now: Timestamp) -> String {
        let app = "\(route.name): the app at \(route.upstream)"
        let since =
            route.app.since.map { since in
                " since \(since) (for \(inWords(max(0, now.secondsSince1970 - since.secondsSince1970))))"
            } ?? ""
        return switch route.app.presence {
        case .up: "\(app) is listening\(since)"
        case .down: "\(app) is not listening\(since)"
        case .unknown: "\(app) is elsewhere, and only a client's connection tells whether it is listening"
        }
    }

    /// `12 s`, `5 min`, `3 h`, `2 d`.
    private static func inWords(_ seconds: Double) -> String {
        let units = [(1.0, "s"), (60, "min"), (3600, "h"), (86400, "d")]
        let unit = units.last { seconds >= 2 * $0.0 } ?? units[0]
        return "\(Int(seconds / unit.0)) \(unit.1)"
    }
}
