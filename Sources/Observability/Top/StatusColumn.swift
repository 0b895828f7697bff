/// A column of the table of routes that `top` shows.
enum StatusColumn: CaseIterable {
    case route
    case app
    case connections
    case waiting
    case newConnections
    case requests
    case toApp
    case toClient
    case median
    case slowest
    case failures

    var title: String {
        switch self {
        case .route: "ROUTE"
        case .app: "APP"
        case .connections: "CONN"
        case .waiting: "WAIT"
        case .newConnections: "NEW/S"
        case .requests: "REQ/S"
        case .toApp: "TO APP/S"
        case .toClient: "TO CLIENT/S"
        case .median: "P50"
        case .slowest: "P99"
        case .failures: "FAIL"
        }
    }

    /// The number of columns of the terminal that it takes; the first takes what is left, and at least this.
    var width: Int {
        switch self {
        case .route: 10
        case .app: 9
        case .connections, .waiting, .failures: 6
        case .newConnections, .requests, .median, .slowest: 6
        case .toApp: 9
        case .toClient: 11
        }
    }

    var isRight: Bool { self != .route && self != .app }

    /// The columns that fit, with one blank between each two.
    static func fitting(_ width: Int) -> [StatusColumn] {
        var columns = allCases
        func needed() -> Int { columns.reduce(columns.count - 1) { $0 + $1.width } }
        // The columns that go first when there is little room; three stay in any case.
        let dispensable: [StatusColumn] = [
            .newConnections, .median, .toApp, .toClient, .waiting, .slowest, .requests, .failures,
        ]
        for column in dispensable where needed() > width { columns.removeAll { $0 == column } }
        return columns
    }
}
