/// What has happened on a route in a second, lately: between two reports where there are two of the same run, as the program
/// itself has measured it otherwise.
struct StatusRates: Equatable {
    var connections: Double?
    /// Nil where the route does not carry HTTP.
    var requests: Double?
    var bytesToApp: Double?
    var bytesToClient: Double?

    /// - Parameter earlier: the same route some time before.
    init(_ route: StatusReport.Route, since earlier: StatusReport.Route?, seconds: Double) {
        if let earlier, seconds > 0 {
            func rate(_ now: UInt64, _ before: UInt64) -> Double {
                // Counters never go back, but whoever answers may not be what it was.
                Double(now >= before ? now - before : 0) / seconds
            }
            connections = rate(route.totals.connections, earlier.totals.connections)
            if let requests = route.totals.requests, let before = earlier.totals.requests {
                self.requests = rate(requests, before)
            }
            bytesToApp = rate(route.totals.bytesToApp, earlier.totals.bytesToApp)
            bytesToClient = rate(route.totals.bytesToClient, earlier.totals.bytesToClient)
        } else if let latest = route.latest {
            connections = latest.connectionsPerSecond
            requests = latest.requestsPerSecond
            bytesToApp = latest.bytesToAppPerSecond
            bytesToClient = latest.bytesToClientPerSecond
        }
    }
}
