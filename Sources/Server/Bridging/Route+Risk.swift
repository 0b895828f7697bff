internal import Configuration
internal import Discovery
internal import Network

extension Route {
    /// Returns a warning where everybody may come in to an app that gives its users much; nil where the app is not known for that,
    /// or where the route has a list or passwords.
    /// - Parameter processes: the names of the processes that listen at the upstream, where they are known.
    func risk(upstreamOf processes: [String] = []) -> String? {
        guard settings.allow.isEmpty, settings.http.basicAuth.file == nil, !isOnLoopbackOnly,
            let port = upstream.candidates.first?.port
        else { return nil }
        return RiskyService(port: port, processes: processes)?.caution
    }

    private var isOnLoopbackOnly: Bool {
        listen.allSatisfy { listener in
            switch listener {
            case .address(.unix), .unix: true
            case .address(let address): address.isOnLoopback
            // An inherited socket may be bound to any address.
            case .everyNonLoopback, .inherited: false
            }
        }
    }
}
