internal import Proxy

/// The routes that clients are accepted on, by the numbers by which the workers know them.
struct RouteTable {
    private var routes: [Int: SharedRoute] = [:]
    /// The numbers of the configuration's routes, in its order.
    var configured: [Int] = []

    /// The route of a number; nil where it has been retired.
    subscript(number: Int) -> SharedRoute? { routes[number] }

    mutating func insert(_ route: SharedRoute, as number: Int) {
        routes[number] = route
    }

    mutating func remove(_ number: Int) -> SharedRoute? {
        routes.removeValue(forKey: number)
    }

    /// How many there are.
    var count: Int { routes.count }

    /// The numbers in the order in which the routes have come.
    var numbers: [Int] { routes.keys.sorted() }

    /// All of them, in the order in which they have come.
    var all: [SharedRoute] { numbers.compactMap { routes[$0] } }

    /// The configuration's routes in its order, then those that were found.
    var listed: [(number: Int, route: SharedRoute)] {
        let found = numbers.filter { !configured.contains($0) }
        return (configured + found).compactMap { number in routes[number].map { (number, $0) } }
    }
}
