internal import EventLoop
public import Network

/// A connection to the app, as it is handed out: new, opened ahead, or used before.
///
/// Owned by whoever gets it, who may keep the socket and let go of the rest. Belongs to its loop's thread.
public final class AppConnection {
    public let socket: WatchedSocket
    /// The app's address.
    public let address: SocketAddress
    /// Whether it sends at once what it is given; noted by whoever sees to that, for the next user.
    public var isPrompt: Bool {
        get { sendsPromptly }
        set { sendsPromptly = newValue }
    }
    private var sendsPromptly = false
    /// Whether it is one client's, and must never serve anybody else: the app may know it as that client's.
    public var isOneClients: Bool {
        get { belongsToClient }
        set { belongsToClient = newValue }
    }
    private var belongsToClient = false
    /// The number of times that it was handed out, this time included.
    var uses = 0

    /// The moment when it was made, to the kernel's tick.
    let opened = MonotonicTime.coarse
    /// The moment since which it has been in the pool.
    var idleSince = MonotonicTime.coarse
    /// The number of times that the app had been found gone when this was made; see ``HoldCoordinator``.
    let appGeneration: Int
    /// The handler that the pool gives its socket, made once.
    var idleHandler: IOEvent.Handler?

    /// Whether somebody has had it before.
    public var isReused: Bool { uses > 1 }

    init(_ socket: WatchedSocket, to address: SocketAddress, appGeneration: Int) {
        self.socket = socket
        self.address = address
        self.appGeneration = appGeneration
    }
}
