internal import Configuration
internal import Discovery
internal import Network

extension Route {
    /// What somebody should know who lets everybody come in to this app; nil where there is nothing to say, or where it was
    /// said who may come in.
    /// - Parameter processes: the names of those who listen at the upstream, where they are known.
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
            // Where a socket that was passed is bound is known to whoever has passed it.
            case .everyNonLoopback, .inherited: false
            }
        }
    }
}
