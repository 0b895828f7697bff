internal import Configuration
internal import EventLoop
internal import Upstream

/// One worker's side of a route. Belongs to the worker's thread.
final class WorkerRoute {
    /// By which the control thread knows the route.
    let number: Int
    let shared: SharedRoute
    /// The way to the app.
    let app: AppConnections
    /// How many sessions the worker has on the route.
    var sessions = 0
    /// The route is to be forgotten when its last session has ended.
    var isRemoved = false

    /// - Parameter workers: how many workers the route's spare connections are dealt out to.
    init(
        _ shared: SharedRoute, number: Int, worker: Int, of workers: Int, on loop: EventLoop
    ) throws(SystemError) {
        self.number = number
        self.shared = shared
        let configuration = shared.configuration
        // Where each client has an address of its own, none can be opened before it is known whose it is.
        let spare = configuration.source == .perClient ? 0 : configuration.pool.spare
        app = try AppConnections(
            to: configuration.upstream.candidates,
            limits: AppConnections.Limits(
                connector: Connector.Limits(hold: configuration.hold, connectTimeout: configuration.connectTimeout),
                queueTimeout: configuration.upstreamConnections.queueTimeout,
                pool: ConnectionPool.Limits(spare: spare / workers + (worker < spare % workers ? 1 : 0))),
            hold: shared.hold, admission: shared.admission,
            member: AdmissionQueue.Member(route: number, worker: worker),
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
