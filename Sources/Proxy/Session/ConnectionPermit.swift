internal import Access
internal import Network

/// One client's right to be connected to a route, be it by a connection or by a flow of datagrams.
///
/// It counts against the route's `max_connections` and against what descriptors allow, among the worker's clients of the
/// route, and, once it is known who the client is, among that client's connections (`per_client.max_connections`). All of that
/// is given back when the permit goes. Belongs to the worker's thread.
struct ConnectionPermit: ~Copyable {
    /// The client's own share. Declared first, so that it goes first: the next client may be the same one.
    private var client: ClientPermit?
    private let share: Share

    /// The reason why there is no permit.
    struct Refusal: Error {
        enum Bound {
            /// The route's `max_connections`.
            case route
            /// The limit of open files.
            case descriptors
        }

        let bound: Bound
        /// Whether the log has not been told for a while.
        let isNews: Bool
    }

    /// The part of a permit that does not depend on the client: of the route, and of the descriptors.
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

    /// Lets the client in and counts the connection among that client's.
    mutating func admit(_ address: SocketAddress) throws(ClientRefusal) {
        client = try route.admit(address)
    }

    /// Holds the share of a client that was let in before.
    mutating func hold(_ client: ClientPermit?) {
        self.client = client
    }
}
