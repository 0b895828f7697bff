internal import Observability

extension Server {
    /// Writes the program's status to the log, and that of each route, in a line each.
    func logStatus() {
        snapshot { [log] snapshot in
            let state = snapshot.program.isDraining ? "draining" : "running"
            log.info(
                "status: \(state)",
                [
                    "version": .text(snapshot.program.version), "workers": .number(snapshot.workers.count),
                    "connections": .number(snapshot.workers.reduce(0) { $0 + $1.connections }),
                    "parked_bytes": .number(snapshot.workers.reduce(0) { $0 + $1.parkedBytes }),
                    "routes": .number(snapshot.routes.count),
                    "dropped_log_lines": .number(Int(clamping: snapshot.droppedLogLines)),
                ])
            for route in snapshot.routes { log.info("status of a route", Self.fields(of: route)) }
        }
    }

    private static func fields(of route: Snapshot.Route) -> Log.Fields {
        [
            "route": .text(route.name), "listen": .text(route.listen.joined(separator: ", ")),
            "upstream": .text(route.upstream), "app": .text(route.app.presence.rawValue),
            "connections": .number(route.connections), "held": .number(route.held), "queued": .number(route.queued),
            "upstream_connections": .number(route.upstreamConnections), "idle": .number(route.idle),
            "spare": .number(route.spare),
            "obstacles": route.obstacles.isEmpty ? .nothing : .text(route.obstacles.joined(separator: "; ")),
        ]
    }
}
