internal import Configuration
internal import Upstream

extension HTTPRoute: StreamService {
    func makeSession(_ connection: consuming ClientConnection) -> any Session {
        HTTP1ClientConnection(connection, as: self)
    }

    func shortestTimeout(on route: WorkerRoute) -> Duration? {
        let shortest = min(
            settings.headTimeout, settings.bodyTimeout, min(settings.responseTimeout, settings.keepAliveTimeout))
        return route.shared.admission == nil ? shortest : min(shortest, route.app.longestRest)
    }

    func shrink() { forgetIdleExchanges() }
}
