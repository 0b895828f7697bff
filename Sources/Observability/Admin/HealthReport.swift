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
                "worker \(worker.number) has not answered for \(Quantity.age(worker.loopLag / .seconds(1), units: .inText))"
            })
    }

    /// Whether clients that come now are served: they are accepted everywhere, and every route's app is there, as far as that
    /// can be known.
    public static func readiness(_ snapshot: Snapshot) -> HealthReport {
        if snapshot.program.isDraining {
            return HealthReport(ok: false, lines: ["draining: no client is accepted any more"])
        }
        guard !snapshot.routes.isEmpty else {
            return HealthReport(
                ok: false, lines: [snapshot.program.findsRoutes ? "nothing is bridged yet" : "there is no route"])
        }
        var report = HealthReport(
            ok: snapshot.routes.allSatisfy { $0.app.presence != .down && $0.obstacles.isEmpty },
            lines: snapshot.routes.flatMap { route in
                [line(for: route, now: snapshot.time)] + route.obstacles.map { "\(route.name): \($0)" }
            })
        if let memory = snapshot.memory, memory.level == .critical {
            report.ok = false
            report.lines.append(
                "memory is short: new clients are refused (\(memory.usedBytes >> 20) of \(memory.limitBytes >> 20) MiB are used)"
            )
        }
        return report
    }

    private static func line(for route: Snapshot.Route, now: Timestamp) -> String {
        let app = "\(route.name): the app at \(route.upstream)"
        let since =
            route.app.since.map { since in
                " since \(since) (for \(Quantity.age(now.secondsSince1970 - since.secondsSince1970, units: .inText)))"
            } ?? ""
        return switch route.app.presence {
        case .up: "\(app) is listening\(since)"
        case .down: "\(app) is not listening\(since)"
        case .unknown: "\(app) is elsewhere, and only a client's connection tells whether it is listening"
        }
    }
}
