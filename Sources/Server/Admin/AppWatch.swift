internal import Configuration
internal import Discovery
internal import EventLoop
internal import Network
internal import Observability
internal import Upstream

/// Remembers which routes' apps are there, and since when.
///
/// The system is asked for its listening sockets once for all routes. Belongs to the control thread.
struct AppWatch {
    private struct App: Hashable {
        let route: String
        let upstream: UpstreamAddress

        init(of route: Route) {
            self.route = route.name
            upstream = route.upstream
        }
    }

    private var states: [App: Snapshot.AppState] = [:]

    /// The state of a route's app at the last look.
    subscript(route: Route) -> Snapshot.AppState { states[App(of: route)] ?? Snapshot.AppState(.unknown) }

    /// Looks at the apps of these routes, and forgets all others.
    /// - Parameter routes: each with the health that its clients' own connections have shown.
    mutating func look(at routes: [(route: Route, health: AppHealth)]) {
        // Once for all routes of a transport.
        let transports = Set(routes.map { $0.route.protocol.transport })
        let endpoints = Dictionary(uniqueKeysWithValues: transports.map { ($0, $0.listeningEndpoints) })
        let now = (Timestamp.now, MonotonicTime.now)
        let earlier = states
        states = [:]
        for (route, health) in routes {
            let app = App(of: route)
            let before = earlier[app]
            let seen = endpoints[route.protocol.transport]?.map { AppPresence(of: route.upstream, among: $0) }
            states[app] =
                switch seen {
                // The system did not tell, so the state stays as it was.
                case nil: before ?? Snapshot.AppState(.unknown)
                case .listening?: Self.state(.up, after: before, at: now.0)
                case .absent?: Self.state(.down, after: before, at: now.0)
                case .unknown?: Self.state(health, at: now)
                }
        }
    }

    private static func state(
        _ presence: Snapshot.AppState.Presence, after before: Snapshot.AppState?, at time: Timestamp
    ) -> Snapshot.AppState {
        guard let before, before.presence != presence else { return before ?? Snapshot.AppState(presence) }
        return Snapshot.AppState(presence, since: time)
    }

    private static func state(
        _ health: AppHealth, at now: (calendar: Timestamp, monotonic: MonotonicTime)
    ) -> Snapshot.AppState {
        func time(_ moment: MonotonicTime) -> Timestamp { now.calendar.earlier(by: now.monotonic.since(moment)) }
        return switch health {
        case .unknown: Snapshot.AppState(.unknown)
        case .up(let since): Snapshot.AppState(.up, since: time(since))
        case .down(let since): Snapshot.AppState(.down, since: time(since))
        }
    }
}
