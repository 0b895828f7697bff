internal import Configuration
internal import EventLoop
internal import Upstream

/// One worker's side of a route. Belongs to the worker's thread.
final class WorkerRoute {
    /// By which the control thread knows the route.
    let number: Int
    let shared: SharedRoute
    let connector: Connector
    /// How many sessions the worker has on the route.
    var sessions = 0
    /// The route is to be forgotten when its last session has ended.
    var isRemoved = false

    init(_ shared: SharedRoute, number: Int, worker: Int, on loop: EventLoop) throws(SystemError) {
        self.number = number
        self.shared = shared
        let configuration = shared.configuration
        connector = try Connector(
            to: configuration.upstream.candidates,
            limits: Connector.Limits(hold: configuration.hold, connectTimeout: configuration.connectTimeout),
            hold: shared.hold, worker: worker,
            sources: LoopbackSources(configuration.sourcePolicy, troubles: shared.sourceTroubles), on: loop)
    }

    var configuration: Route { shared.configuration }
}

extension Route {
    fileprivate var sourcePolicy: LoopbackSources.Policy {
        switch source {
        case .default: .kernelsChoice
        case .perClient: .perClient
        }
    }
}
