internal import Configuration
internal import EventLoop
internal import Upstream

/// One worker's side of a route. Belongs to the worker's thread.
final class WorkerRoute {
    let shared: SharedRoute
    let connector: Connector

    init(_ shared: SharedRoute, worker: Int, on loop: EventLoop) throws(SystemError) {
        self.shared = shared
        let configuration = shared.configuration
        connector = try Connector(
            to: configuration.upstream.candidates,
            limits: Connector.Limits(hold: configuration.hold, connectTimeout: configuration.connectTimeout),
            hold: shared.hold, worker: worker, on: loop)
    }

    var configuration: Route { shared.configuration }
}
