internal import Proxy

/// The routes on which clients are accepted, by the numbers by which the workers know them.
struct RouteTable {
    private var routes: [Int: SharedRoute] = [:]
    /// The numbers of the configuration's routes, in its order.
    var configured: [Int] = []

    /// The route of a number; nil once it is retired.
    subscript(number: Int) -> SharedRoute? { routes[number] }

    mutating func insert(_ route: SharedRoute, as number: Int) {
        routes[number] = route
    }

    mutating func remove(_ number: Int) -> SharedRoute? {
        routes.removeValue(forKey: number)
    }

    /// The number of routes.
    var count: Int { routes.count }

    /// The routes' numbers, in the order in which the routes were added.
    var numbers: [Int] { routes.keys.sorted() }

    /// All routes, in the order in which they were added.
    var all: [SharedRoute] { numbers.compactMap { routes[$0] } }

    /// The configuration's routes in its order, then those that were found.
    var listed: [(number: Int, route: SharedRoute)] {
        let found = numbers.filter { !configured.contains($0) }
        return (configured + found).compactMap { number in routes[number].map { (number, $0) } }
    }
}
