internal import Access
internal import Network

/// One client's right to be connected to a route, be it by a connection or by a flow of datagrams.
///
/// It counts against the route's `max_connections` and against what descriptors allow, among the worker's clients of the
/// route, and, once it is known who the client is, among that client's connections (`per_client.max_connections`). All of that
/// is given back when the permit goes. Belongs to the worker's thread.
struct ConnectionPermit: ~Copyable {
    /// Stands first, so that it goes first: whoever comes as soon as there is room again, may be the same client.
    private var client: ClientPermit?
    private let share: Share

    /// Why there is no permit.
    struct Refusal: Error {
        enum Bound {
            /// The route's `max_connections`.
            case route
            /// The limit of open files.
            case descriptors
        }

        let bound: Bound
        /// Whether it is a while since this was last said.
        let isNews: Bool
    }

    /// What a permit takes of the route, without asking who the client is.
    private struct Share: ~Copyable {
        let route: WorkerRoute

        init(of route: WorkerRoute) {
            self.route = route
            route.permits += 1
        }

        deinit {
            route.worker.environment.descriptors.giveBack()
            route.shared.connections.giveBack()
            route.permits -= 1
            if route.isRemoved, route.permits == 0 { route.onUnused?() }
        }
    }

    /// Takes a permit for a client that is about to be accepted.
    /// - Parameter isWaitedFor: whether the worker is to be told when there is room again.
    /// - Throws: ``Refusal`` where one of the bounds is reached.
    init(on route: WorkerRoute, isWaitedFor: Bool) throws(Refusal) {
        let worker = isWaitedFor ? route.worker.number : nil
        if case .full(let isNews) = route.shared.connections.take(for: worker) {
            throw Refusal(bound: .route, isNews: isNews)
        }
        if case .full(let isNews) = route.worker.environment.descriptors.take(for: worker) {
            route.shared.connections.giveBack()
            throw Refusal(bound: .descriptors, isNews: isNews)
        }
        share = Share(of: route)
    }

    var route: WorkerRoute { share.route }

    /// Lets the client in and counts it among that client's connections, or says why not.
    mutating func admit(_ address: SocketAddress) throws(ClientRefusal) {
        client = try route.admit(address)
    }

    /// Keeps what a client that was let in before has to hold.
    mutating func hold(_ client: ClientPermit?) {
        self.client = client
    }
}
