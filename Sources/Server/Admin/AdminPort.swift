internal import Configuration
internal import Discovery
internal import EventLoop
internal import Glibc
internal import Network
internal import Observability

/// Opens and closes the sockets of the admin server, as the configuration says, from the server's start to its end.
///
/// Belongs to the control loop.
final class AdminPort {
    /// A listening socket and the server on it.
    private struct Listener {
        let inode: UInt64
        let server: HTTPServer
    }

    /// The Unix socket, its file, and the server on it.
    private final class PathListener {
        let path: String
        private let socket: UnixListeningSocket
        private let server: HTTPServer

        init(at path: String, _ admin: AdminServer) throws(SystemError) {
            self.path = path
            let socket = try UnixListeningSocket(at: path)
            server = try admin.serve(.all, accepting: try socket.duplicate())
            self.socket = socket
        }
    }

    /// The sources of what the admin server responds with; to be set before ``start(_:)``.
    var sources: AdminServer.Sources?
    private let log: Log
    private let loop: EventLoop
    private var settings = AdminSettings()
    /// The admin server; nil while the configuration has no admin port, so that no history is kept for nobody.
    private var admin: AdminServer?
    private var listeners: [SocketAddress: Listener] = [:]
    private var pathListener: PathListener?
    private var retryTimer: Timer?
    private var nextTry = ListenRetry()
    /// The addresses and paths of which the log has said that they cannot be had.
    private var complaints: Set<String> = []

    /// Opens nothing yet.
    /// - Throws: ``SystemError`` when there is no memory for a timer.
    init(log: Log, on loop: EventLoop) throws(SystemError) {
        self.log = log.part(.admin)
        self.loop = loop
        // The timer ends with this, and so do its calls.
        retryTimer = try Timer(on: loop) { [unowned self] in retry() }
    }

    /// Listens as the settings say.
    /// - Throws: ``ListenError`` when an address cannot be had, ``SystemError`` without memory. A path that cannot be had is
    ///   reported in the log, and tried again.
    func start(_ settings: AdminSettings) throws {
        self.settings = settings
        try prepare()
        for address in settings.listen {
            do throws(SystemError) {
                try open(address)
            } catch  where ListenRetry.isOptional(address, error) {
                log.debug("no admin port at \(address)", ["reason": .text(error.reason)])
            } catch {
                throw ListenError(address, error)
            }
        }
        if !openPath(complaining: true) { nextTry.schedule(retryTimer) }
    }

    /// Follows other settings from now on. An address that cannot be had is reported in the log, and tried again.
    func follow(_ settings: AdminSettings) {
        guard settings != self.settings else { return }
        self.settings = settings
        for address in listeners.keys.filter({ !settings.listen.contains($0) }) {
            listeners[address] = nil
            log.info("no longer an admin port at \(address)")
        }
        if let listener = pathListener, listener.path != settings.socket {
            pathListener = nil
            log.info("no longer an admin port at unix:\(listener.path)")
        }
        complaints = []
        nextTry.hurry()
        retry()
    }

    /// Closes all connections and sockets, and removes the Unix socket's file.
    func close() {
        retryTimer?.cancel()
        listeners = [:]
        pathListener = nil
        admin = nil
    }

    /// The inodes of the listening sockets, without the Unix socket's.
    var inodes: Set<UInt64> { Set(listeners.values.map(\.inode)) }

    /// The number of descriptors that it may need.
    var descriptors: Int {
        (settings.listen.count + (settings.socket == nil ? 0 : 1)) * (HTTPServer.mostConnections + 2)
    }

    private func retry() {
        do throws(SystemError) {
            try prepare()
        } catch {
            return nextTry.schedule(retryTimer)
        }
        let complains = nextTry.isWorthComplaint
        var isComplete = openPath(complaining: complains)
        for address in settings.listen where listeners[address] == nil {
            do throws(SystemError) {
                try open(address)
            } catch {
                if ListenRetry.isOptional(address, error) { continue }
                isComplete = false
                let complaint = ListenError(address, error).description
                if complains, complaints.insert("\(address)").inserted { log.error("the admin port \(complaint)") }
            }
        }
        if !isComplete { nextTry.schedule(retryTimer) }
    }

    /// Makes an admin server where the settings have an address or a path, and ends it where they have none.
    private func prepare() throws(SystemError) {
        guard !settings.listen.isEmpty || settings.socket != nil else {
            admin = nil
            return
        }
        if admin == nil, let sources { admin = try AdminServer(sources, on: loop) }
        admin?.access = AccessList(allow: settings.allow, deny: settings.deny)
    }

    private func open(_ address: SocketAddress) throws(SystemError) {
        guard let admin else { return }
        let socket = try ListeningSocket(on: address)
        let inode = socket.inode
        let bound = socket.localAddress ?? address
        let server = try admin.serve(.byAddress, accepting: socket.takeDescriptor())
        listeners[address] = Listener(inode: inode, server: server)
        log.info("serving the admin port at http://\(bound)/")
    }

    /// Opens the Unix socket where the settings name one.
    /// - Returns: false where it is wanted and could not be had.
    private func openPath(complaining: Bool) -> Bool {
        guard let admin, let path = settings.socket, pathListener == nil else { return true }
        do throws(SystemError) {
            pathListener = try PathListener(at: path, admin)
            complaints.remove(path)
            log.info("serving the admin port at unix:\(path)")
            return true
        } catch {
            if complaining, complaints.insert(path).inserted {
                let reason = ListenError.reason(unixSocketAt: path, access: .sameUser, error)
                log.warning("no admin port at unix:\(path) for now", ["reason": .text(reason)])
            }
            return false
        }
    }
}
