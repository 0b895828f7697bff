public import EventLoop
public import Network

/// The admin port: tells what the program knows of itself, over HTTP, and changes nothing.
///
/// Belongs to its loop's thread, the control loop.
public final class AdminServer {
    /// The sources of its responses. Called on the loop's thread; those that may take long complete later, on that
    /// thread.
    public struct Sources {
        /// Gives the state of everything.
        public let snapshot: (@escaping (Snapshot) -> Void) -> Void
        /// The effective configuration, as a file; nil where there is no memory for it.
        public let configuration: () -> String?
        /// The listening sockets of this namespace, as JSON.
        public let diagnosis: (@escaping ([UInt8]) -> Void) -> Void

        public init(
            snapshot: @escaping (@escaping (Snapshot) -> Void) -> Void, configuration: @escaping () -> String?,
            diagnosis: @escaping (@escaping ([UInt8]) -> Void) -> Void
        ) {
            self.snapshot = snapshot
            self.configuration = configuration
            self.diagnosis = diagnosis
        }
    }

    /// The clients that may ask on a socket.
    public enum Clients {
        /// Clients whose addresses ``AdminServer/access`` admits.
        case byAddress
        /// All clients that can reach it.
        case all
    }

    /// The clients that are admitted on sockets for ``Clients/byAddress``.
    public var access = AccessList()

    private let loop: EventLoop
    private let sources: Sources
    private var history = History()
    private var timer: Timer?
    /// The requests that wait for the snapshot that is being taken, and those that came too late for it and get the
    /// next one.
    private var waiting: [(Snapshot) -> Void] = []
    private var waitingForNext: [(Snapshot) -> Void] = []

    /// Begins to keep the history; nobody is answered yet.
    /// - Throws: ``SystemError`` when there is no memory for a timer.
    public init(_ sources: Sources, on loop: EventLoop) throws(SystemError) {
        self.loop = loop
        self.sources = sources
        // Our own timer: it is silent once we are gone.
        timer = try Timer(on: loop) { [unowned self] in sample() }
        timer?.schedule(after: .zero)
    }

    /// Answers on a listening socket, for as long as what is returned lives.
    /// - Parameter listener: non-blocking; closed at the end.
    /// - Throws: ``SystemError`` when there is no memory, or the socket does not listen.
    public func serve(_ clients: Clients, accepting listener: consuming Descriptor) throws(SystemError) -> HTTPServer {
        try HTTPServer(accepting: listener, on: loop, fields: AdminAnswer.commonFields) {
            [weak self] request, responder in
            guard let self else { return }
            if case .byAddress = clients, !isAllowed(request.peer) {
                return responder.answer(.text(403, "this address may not ask here (admin.allow, admin.deny)\n"))
            }
            answer(request, responder)
        }
    }

    // MARK: The requests

    func isAllowed(_ peer: String) -> Bool {
        if access.admitsEverybody { return true }
        return IPAddress(String(peer.prefix { $0 != "%" })).map { access.admits($0) } ?? false
    }

    private func answer(_ request: HTTPServer.Request, _ responder: HTTPServer.Responder) {
        switch request.path {
        case "/": responder.answer(AdminAnswer.page)
        case "/metrics":
            let format = PrometheusText.Format(accept: request.field("Accept"))
            takeSnapshot { snapshot in
                responder.answer(
                    HTTPServer.Response(
                        contentType: format.contentType, fields: [("Vary", "Accept")],
                        body: PrometheusText.render(snapshot, as: format)))
            }
        case "/healthz": answer(request, responder, HealthReport.health)
        case "/readyz": answer(request, responder, HealthReport.readiness)
        case "/status.json":
            takeSnapshot { [self] in responder.answer(.json(200, StatusReport($0, history: history))) }
        case "/history.json":
            let after = request.query.flatMap(AdminAnswer.number(inQuery:))
            takeSnapshot { [self] snapshot in
                responder.answer(.json(200, history.report(after: after, startTime: snapshot.program.startTime)))
            }
        case "/configuration.yaml":
            // Browsers would save application/yaml instead of showing it.
            responder.answer(
                sources.configuration().map { .text(200, $0) } ?? .text(503, "there is no memory for it now\n"))
        case "/doctor.json":
            sources.diagnosis { responder.answer(HTTPServer.Response(contentType: AdminAnswer.jsonType, body: $0)) }
        default: responder.answer(.text(404, AdminAnswer.notFound))
        }
    }

    private func answer(
        _ request: HTTPServer.Request, _ responder: HTTPServer.Responder,
        _ judge: @escaping (Snapshot) -> HealthReport
    ) {
        let accepted = AcceptedTypes(request.field("Accept"))
        let wantsJSON = accepted.quality(of: "application/json") > accepted.quality(of: "text/plain")
        takeSnapshot { snapshot in
            let report = judge(snapshot)
            let status = report.ok ? 200 : 503
            responder.answer(wantsJSON ? .json(status, report) : .text(status, report.text))
        }
    }

    // MARK: What is told

    private func sample() {
        timer?.schedule(after: History.interval)
        takeSnapshot { [weak self] in self?.history.record($0) }
    }

    /// Takes a snapshot of what is now; one at a time, however many ask.
    func takeSnapshot(_ completion: @escaping (Snapshot) -> Void) {
        guard waiting.isEmpty else {
            waitingForNext.append(completion)
            return
        }
        waiting.append(completion)
        startSnapshot()
    }

    private func startSnapshot() {
        sources.snapshot { [weak self] snapshot in
            guard let self else { return }
            let completions = waiting
            waiting = waitingForNext
            waitingForNext = []
            for completion in completions { completion(snapshot) }
            if !waiting.isEmpty { startSnapshot() }
        }
    }
}
