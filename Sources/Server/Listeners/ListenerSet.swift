internal import Configuration
internal import Network

/// The addresses that routes want to listen on, and the listeners that are open.
///
/// A value without sockets. An explicit address is wanted always; the same-port rule wants every non-loopback address that the
/// interfaces have, and that changes. Belongs to the control thread.
struct ListenerSet {
    /// One address that a route listens on.
    struct Listener: Hashable {
        let route: Int
        let address: SocketAddress
        var transport = RouteProtocol.Transport.tcp
        /// The owner and mode of a Unix socket's file; nil for other addresses.
        var access: UnixSocketAccess?
        /// The inherited socket; nil where this process opens one itself.
        var inherited: InheritedSocket?

        /// The part that can pass to another route.
        fileprivate var binding: Binding {
            Binding(address: address, transport: transport, access: access, inherited: inherited)
        }
    }

    fileprivate struct Binding: Hashable {
        let address: SocketAddress
        let transport: RouteProtocol.Transport
        let access: UnixSocketAccess?
        let inherited: InheritedSocket?
    }

    /// The sockets that were passed to the process, usable or not.
    private let inherited: [InheritedSocket]

    /// The routes by their numbers.
    private(set) var routes: [Int: Route] = [:]
    private var open: [Listener: (number: Int, boundTo: SocketAddress, inodes: [UInt64])] = [:]
    private var lastRoute = 0
    private var lastListener = 0

    /// - Parameter inherited: the sockets that were passed to the process.
    init(inherited: [InheritedSocket] = []) {
        self.inherited = inherited
    }

    /// Adds a route.
    /// - Returns: the route's number.
    mutating func add(_ route: Route) -> Int {
        lastRoute += 1
        routes[lastRoute] = route
        return lastRoute
    }

    /// Forgets a route; its listeners are not wanted any more.
    mutating func remove(route number: Int) -> Route? {
        routes.removeValue(forKey: number)
    }

    /// Returns the listeners that the routes want, in the order of the routes' numbers.
    func wanted(given interfaces: [InterfaceAddress]) -> [Listener] {
        var seen = Set<Listener>()
        return routes.sorted { $0.key < $1.key }.flatMap { number, route in
            route.listen.flatMap { listen in
                listeners(for: listen, ofRoute: number, over: route.protocol.transport, given: interfaces)
            }
        }.filter { seen.insert($0).inserted }
    }

    /// Returns the listeners of one `listen`. The same-port rule takes every address that the outside can reach, which leaves out
    /// loopback, addresses that are not usable yet, and IPv6 link-local ones, on which nobody publishes a port.
    private func listeners(
        for listen: ListenAddress, ofRoute route: Int, over transport: RouteProtocol.Transport,
        given interfaces: [InterfaceAddress]
    ) -> [Listener] {
        func listener(_ address: SocketAddress, _ access: UnixSocketAccess? = nil) -> Listener {
            Listener(route: route, address: address, transport: transport, access: access)
        }
        func listeners(_ address: SocketAddress, _ access: UnixSocketAccess? = nil) -> [Listener] {
            let given = inherited.filter { transport.isMeant(by: $0.kind) && $0.covers(address) }
            return given.isEmpty ? [listener(address, access)] : given.map(taken)
        }
        func taken(_ socket: InheritedSocket) -> Listener {
            Listener(route: route, address: socket.address ?? .unix(path: ""), transport: transport, inherited: socket)
        }
        switch listen {
        case .address(let address): return listeners(address)
        case .unix(let path, let access): return listeners(.unix(path: path), access)
        case .inherited(let name): return sockets(named: name).map(taken)
        case .everyNonLoopback(let port, let families):
            return interfaces.filter { interface in
                families.contains(interface.address.family) && !interface.address.isLoopback
                    && !interface.isTentative && !(interface.address.family == .v6 && interface.address.isLinkLocal)
            }.flatMap { listeners(.ip($0.address, port: port)) }
        }
    }

    /// Returns the inherited sockets of a name; without a name, those that no other listener asks for.
    private func sockets(named name: String?) -> [InheritedSocket] {
        if let name { return inherited.filter { $0.name == name } }
        return inherited.filter { socket in
            !routes.values.contains { route in route.listen.contains { $0.asks(for: socket, route.protocol.transport) }
            }
        }
    }

    /// The listeners for which nothing was inherited, with the routes that want them.
    var withoutSocket: [(route: Int, listen: ListenAddress)] {
        routes.sorted { $0.key < $1.key }.flatMap { number, route in
            route.listen.compactMap { listen in
                guard case .inherited(let name) = listen, sockets(named: name).isEmpty else { return nil }
                return (number, listen)
            }
        }
    }

    /// Returns the inherited sockets that no route wants.
    func unused(given wanted: [Listener]) -> [InheritedSocket] {
        inherited.filter { socket in !wanted.contains { $0.inherited == socket } }
    }

    /// Returns the listeners that are wanted and not open yet.
    func missing(from wanted: [Listener]) -> [Listener] {
        wanted.filter { open[$0] == nil }
    }

    /// Notes that a listener is open.
    /// - Parameters:
    ///   - address: the address that it is bound to; differs from its own where that leaves the port to the kernel.
    ///   - inodes: the inodes of its sockets, one for each worker.
    /// - Returns: the number by which the workers know it.
    mutating func opened(_ listener: Listener, boundTo address: SocketAddress, inodes: [UInt64]) -> Int {
        lastListener += 1
        open[listener] = (lastListener, address, inodes)
        return lastListener
    }

    /// Returns the addresses that a route's listeners are bound to, in the order in which they were opened.
    func boundAddresses(ofRoute route: Int) -> [SocketAddress] {
        open.filter { $0.key.route == route }.values.sorted { $0.number < $1.number }.map(\.boundTo)
    }

    /// Gives listeners that are not wanted any more to routes that want the same addresses.
    /// - Returns: the numbers by which the workers know the listeners, with their new routes.
    mutating func handOver(to wanted: [Listener]) -> [(number: Int, route: Int)] {
        let stays = Set(wanted)
        var idle: [Binding: [Listener]] = [:]
        // The last ones first, since they are taken from the end.
        for listener in open.filter({ !stays.contains($0.key) }).sorted(by: { $0.value.number > $1.value.number }) {
            idle[listener.key.binding, default: []].append(listener.key)
        }
        return missing(from: wanted).compactMap { heir in
            guard let former = idle[heir.binding]?.popLast(), let socket = open.removeValue(forKey: former)
            else { return nil }
            open[heir] = socket
            return (socket.number, heir.route)
        }
    }

    /// Forgets listeners that are open and not wanted any more.
    /// - Returns: the listeners, with the numbers by which the workers know them.
    mutating func removeUnwanted(_ wanted: [Listener]) -> [(listener: Listener, number: Int)] {
        let wanted = Set(wanted)
        let gone = open.filter { !wanted.contains($0.key) }
        for listener in gone.keys { open[listener] = nil }
        return gone.map { ($0.key, $0.value.number) }.sorted { $0.number < $1.number }
    }

    /// Forgets the listeners of a route.
    /// - Returns: the numbers by which the workers know them.
    mutating func removeAll(ofRoute route: Int) -> [Int] {
        let gone = open.filter { $0.key.route == route }
        for listener in gone.keys { open[listener] = nil }
        return gone.values.map(\.number).sorted()
    }

    /// The inodes of all open listening sockets.
    var inodes: Set<UInt64> { Set(open.values.flatMap(\.inodes)) }

    /// The number of listeners that are open.
    var count: Int { open.count }
}

extension ListenAddress {
    /// Whether this names an inherited socket, or its address.
    fileprivate func asks(for socket: InheritedSocket, _ transport: RouteProtocol.Transport) -> Bool {
        switch self {
        case .inherited(let name): name == socket.name
        case .address(let address): transport.isMeant(by: socket.kind) && socket.covers(address)
        case .unix(let path, _): socket.covers(.unix(path: path))
        case .everyNonLoopback(let port, _): transport.isMeant(by: socket.kind) && socket.address?.port == port
        }
    }
}
