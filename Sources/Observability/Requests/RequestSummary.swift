public import Network

/// The access log's line about a request that has ended, whether it was answered or not.
public struct RequestSummary: Sendable {
    /// The address of the client that is connected to us.
    public var client: SocketAddress
    /// The user's name; nil where no client is asked.
    public var user: String?
    /// The route's name.
    public var route: String
    /// The request in its own words.
    public var request: RequestText
    /// The answer's; nil where the client got none.
    public var status: Int?
    /// The bytes of the request's body that went to the app, without what frames them.
    public var bytesToApp: UInt64
    /// The bytes of the answer's body that went to the client, likewise.
    public var bytesToClient: UInt64
    /// The address of the app that got the request; nil where none did.
    public var upstream: SocketAddress?
    /// The source address that the app saw; nil where that says nothing about the client.
    public var source: SocketAddress?
    /// Whether the connection to the app had carried requests before.
    public var isReused: Bool
    public var times: Times
    /// The end, in a few words: `finished`.
    public var end: String

    /// The time that each part of it took; nil for one that did not happen.
    public struct Times: Sendable {
        /// Waiting for the app to listen, and for a place among its connections.
        public var queue: Duration?
        /// Connecting to the app.
        public var connect: Duration?
        /// From having the connection to the first byte of the answer.
        public var firstByte: Duration?
        /// From the request's first byte to its end.
        public var total: Duration

        public init(queue: Duration? = nil, connect: Duration? = nil, firstByte: Duration? = nil, total: Duration) {
            self.queue = queue
            self.connect = connect
            self.firstByte = firstByte
            self.total = total
        }
    }

    public init(
        client: SocketAddress, user: String? = nil, route: String, request: RequestText, status: Int?,
        bytesToApp: UInt64 = 0,
        bytesToClient: UInt64 = 0, upstream: SocketAddress? = nil, source: SocketAddress? = nil, isReused: Bool = false,
        times: Times, end: String
    ) {
        self.client = client
        self.user = user
        self.route = route
        self.request = request
        self.status = status
        self.bytesToApp = bytesToApp
        self.bytesToClient = bytesToClient
        self.upstream = upstream
        self.source = source
        self.isReused = isReused
        self.times = times
        self.end = end
    }
}
