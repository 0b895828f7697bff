internal import EventLoop
internal import Glibc
internal import Network

/// Somebody for whom an attempt is made. The attempt keeps it until it is decided or cancelled.
protocol ConnectionAttemptOwner: AnyObject {
    /// Called once, unless the attempt is cancelled before.
    func attemptEnded(_ attempt: ConnectionAttempt, _ outcome: ConnectionAttempt.Outcome)
}

/// One attempt to reach the app: its addresses in turn, until one takes the connection.
///
/// Belongs to its loop's thread. Kept by its ``AttemptDeadlines`` too until it is decided or cancelled.
final class ConnectionAttempt {
    /// The purpose of an attempt.
    enum Purpose {
        /// A request, as long as the app answers.
        /// - appReturns: how often the app had come back when the attempt was begun.
        case itself(appReturns: Int)
        /// The first of those who wait, and thereby all of them.
        case everybody
        /// A connection that nobody has asked for.
        case spare
    }

    enum Outcome {
        case connected(WatchedSocket, candidate: Int)
        /// Nobody listens on any of the addresses.
        case refused
        /// Somebody listens, but takes no more connections at present.
        case busy
        case failed(SystemError)
    }

    private let candidates: [SocketAddress]
    private let preferred: Int
    /// The address of the client for whom the attempt is made.
    private let client: IPAddress?
    private let sources: LoopbackSources
    private let timeout: Duration
    private let deadlines: AttemptDeadlines
    private let loop: EventLoop
    /// The number of candidates that have had their turn.
    private var tried = 0
    /// The candidate whose turn it is.
    private var index = 0
    /// The source of the connection to it.
    private var source = LoopbackSources.Source.kernelsChoice
    /// Of a candidate that may well be there.
    private var lackOfPorts: SystemError?
    private var undecided: WatchedSocket?
    private var asksAtOnce = false
    private(set) var purpose = Purpose.spare
    private var owner: (any ConnectionAttemptOwner)?

    /// The index at which its ``AttemptDeadlines`` has it; theirs to change.
    var listIndex = 0
    /// The moment when the candidate whose turn it is was first called.
    private(set) var started = MonotonicTime.coarse
    /// The time that this candidate may take to answer.
    private(set) var patience = Duration.zero

    /// A connection to this machine itself is decided when connect(2) returns, except where the kernel is short
    /// of time or the app's backlog is full. In that case the kernel would try again only after a second; giving
    /// up soon and trying anew gets the client in earlier.
    private static let localPatience = Duration.milliseconds(25)

    /// - Parameters:
    ///   - preferred: the index of the candidate to try first.
    ///   - client: for whom the attempt is made; nil for nobody in particular.
    ///   - timeout: how long an address that is not on this machine may take to answer.
    init(
        to candidates: [SocketAddress], preferred: Int, for client: IPAddress?, from sources: LoopbackSources,
        timeout: Duration, deadlines: AttemptDeadlines, on loop: EventLoop
    ) {
        self.candidates = candidates
        self.preferred = preferred
        self.client = client
        self.sources = sources
        self.timeout = timeout
        self.deadlines = deadlines
        self.loop = loop
    }

    /// Starts; the owner is told of the end, before this returns where the system will not even try.
    /// - Parameter askingAtOnce: pay for another system call to hear before this returns what the kernel has decided
    ///   already, which the loop would tell in its next turn. On this machine, what is still undecided then meets a
    ///   full backlog.
    func start(_ purpose: Purpose, askingAtOnce: Bool, for owner: any ConnectionAttemptOwner) {
        self.purpose = purpose
        asksAtOnce = askingAtOnce
        self.owner = owner
        tryNext(otherwise: .refused)
    }

    /// Gives up; the owner is told nothing more.
    func cancel() {
        owner = nil
        forgetUndecided()
    }

    /// Nobody has answered for as long as ``patience``, or the loop has been kept from hearing it.
    func isOverdue() {
        guard let socket = undecided else { return }
        let result = socket.socket.progress(of: candidates[index])
        if result == .inProgress { finish(.busy) } else { decide(result) }
    }

    private func forgetUndecided() {
        guard undecided != nil else { return }
        undecided = nil
        deadlines.forget(self)
    }

    private func finish(_ outcome: Outcome) {
        forgetUndecided()
        let owner = owner
        self.owner = nil
        owner?.attemptEnded(self, outcome)
    }

    private func tryNext(otherwise outcome: Outcome) {
        guard tried < candidates.count else { return finish(lackOfPorts.map { .failed($0) } ?? outcome) }
        // The preferred one, then the others in their order.
        index = tried == 0 ? preferred : tried <= preferred ? tried - 1 : tried
        tried += 1
        call(from: sources.source(for: client, to: candidates[index]))
    }

    /// Calls the candidate whose turn it is.
    private func call(from source: LoopbackSources.Source) {
        self.source = source
        do {
            let socket = try Socket(toReach: candidates[index])
            if let address = source.address { try socket.bind(toSource: address) }
            try connect(socket)
        } catch {
            proceed(after: error)
        }
    }

    private func connect(_ socket: consuming Socket) throws(SystemError) {
        let address = candidates[index]
        switch socket.connect(to: address) {
        case .connected:
            try accept(WatchedSocket(socket, on: loop))
        case .failed(let code):
            throw SystemError("connect", code: code)
        case .inProgress:
            // On this machine it is decided already; registering the socket, which is due anyway, has the loop tell.
            let socket = try WatchedSocket(socket, on: loop)
            // The socket is the attempt's own until it is decided, and then tells somebody else.
            socket.onReady = { [unowned self] readiness in becameReady(readiness) }
            undecided = socket
            started = .coarse
            patience = address.isOnLoopback ? min(Self.localPatience, timeout) : timeout
            deadlines.watch(self)
            if asksAtOnce { askKernel() }
        }
    }

    /// The undecided socket has become ready: for data, or for its error to be told.
    private func becameReady(_ readiness: IOEvent.Readiness) {
        guard let socket = undecided else { return }
        socket.unusedReadiness.formUnion(readiness)
        if readiness.contains(.failed) { askKernel() } else { decide(.connected) }
    }

    private func askKernel() {
        guard let socket = undecided else { return }
        decide(socket.socket.progress(of: candidates[index]))
    }

    private func decide(_ result: Socket.ConnectResult) {
        guard result != .inProgress, let socket = undecided else { return }
        forgetUndecided()
        if case .failed(let code) = result {
            // Whoever has accepted it all the same is not to take the end for a client that has nothing to say.
            socket.socket.resetWhenClosed()
            proceed(after: SystemError("connect", code: code))
        } else {
            accept(socket)
        }
    }

    private func accept(_ socket: WatchedSocket) {
        if isConnectedToItself(socket.socket, to: candidates[index]) {
            // A clean end would keep the port in TIME-WAIT, where it is in the app's way.
            socket.socket.resetWhenClosed()
            return tryNext(otherwise: .refused)
        }
        socket.onReady = nil
        sources.connected(to: candidates[index])
        finish(.connected(socket, candidate: index))
    }

    /// Tells a connection to itself. Where nobody listens on a port of the ephemeral range, the kernel can pick that
    /// very port as the source of the connection; TCP then connects the socket to itself (RFC 9293 section 3.5,
    /// simultaneous open).
    private func isConnectedToItself(_ socket: borrowing Socket, to address: SocketAddress) -> Bool {
        guard let port = address.port, EphemeralPorts.range.contains(port) else { return false }
        return socket.localAddress == address
    }

    private func proceed(after error: SystemError) {
        if let other = sources.replacement(of: source, after: error, for: client, to: candidates[index]) {
            return call(from: other)
        }
        switch error.code {
        case ECONNREFUSED, ENOENT:
            tryNext(otherwise: .refused)
        case EADDRNOTAVAIL where isShortOfPorts(to: candidates[index]):
            lackOfPorts = error
            sources.isOutOfPorts(to: candidates[index])
            tryNext(otherwise: .refused)
        case EADDRNOTAVAIL where candidates[index].ipAddress?.family == .v6, EAFNOSUPPORT, ENETUNREACH:
            // This machine has no IPv6 (or no IPv4): the other address decides.
            tryNext(otherwise: candidates.count > 1 ? .refused : .failed(error))
        case EAGAIN:
            // How a Unix socket says that its backlog is full (connect(2)).
            finish(.busy)
        default:
            finish(.failed(error))
        }
    }

    /// Whether an address that could not be connected to is ::1 and there is such an address, so that it was only a port
    /// that could not be had.
    private func isShortOfPorts(to address: SocketAddress) -> Bool {
        guard address.ipAddress == .loopbackV6, let probe = try? Socket(toReach: address) else { return false }
        return (try? probe.bind(toSource: .loopbackV6)) != nil
    }
}
