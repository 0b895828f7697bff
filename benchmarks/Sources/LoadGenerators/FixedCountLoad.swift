import Glibc

/// A fixed number of requests, as fast as they are answered: for counting system calls, and for warming up.
public struct FixedCountLoad {
    /// Where the proxy listens, an IPv4 address.
    public var host: String
    public var port: Int
    /// What is asked for; its answer must be of the same length each time.
    public var path: String
    /// How many requests.
    public var requests: Int
    /// How many connections at once, each with one request at a time.
    public var connections: Int

    public init(host: String, port: Int, path: String = "/", requests: Int, connections: Int) {
        self.host = host
        self.port = port
        self.path = path
        self.requests = requests
        self.connections = connections
    }

    /// Sends the requests on connections that stay. `connected` is called once all connections have had a request
    /// that does not count.
    public func runOnKeptConnections(connected: () throws -> Void) throws {
        let bundle = try KeptConnections(host: host, port: port, path: path, count: connections)
        try connected()
        var poller = try bundle.poller()
        var sent = 0
        var answered = 0
        for index in 0..<min(connections, requests) {
            try bundle.send(index)
            sent += 1
        }
        while answered < requests {
            try poller.wait(nanoseconds: 10_000_000_000) { (index) throws(LoadFailure) in
                guard try bundle.receive(index) else { return }
                answered += 1
                if sent < requests {
                    try bundle.send(index)
                    sent += 1
                }
            }
        }
    }

    /// Sends each request on a connection of its own, and reads to the end of it; `connections` at once.
    public func runOnNewConnections(connected: () throws -> Void) throws {
        let request = HTTPRequest(host: host, port: port, path: path, closes: true)
        let answerLength = try request.answerLength(host: host, port: port)
        try connected()
        var poller = try Poller(capacity: connections)
        var open: [Int32: Int] = [:]
        var buffer = [UInt8](repeating: 0, count: 4096)
        defer { for descriptor in open.keys { close(descriptor) } }

        var started = 0
        func startNext() throws(LoadFailure) {
            guard started < requests else { return }
            started += 1
            let descriptor = try ClientSocket(host: host, port: port).released()
            open[descriptor] = 0
            try ClientSocket.send(request.bytes, to: descriptor)
            try poller.add(descriptor, tag: Int(descriptor))
        }
        for _ in 0..<connections { try startNext() }
        while !open.isEmpty {
            var ended: [Int32] = []
            try poller.wait(nanoseconds: 10_000_000_000) { (tag) throws(LoadFailure) in
                let descriptor = Int32(tag)
                let count = try ClientSocket.receive(descriptor, into: &buffer)
                open[descriptor, default: 0] += count
                if count == 0 { ended.append(descriptor) }
            }
            for descriptor in ended {
                guard open.removeValue(forKey: descriptor) == answerLength else {
                    throw LoadFailure("a connection ended without the whole answer")
                }
                close(descriptor)
                try startNext()
            }
        }
    }
}
