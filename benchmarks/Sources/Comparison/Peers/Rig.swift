import Foundation

/// What behind a proxy answers.
enum App {
    /// iperf3's server.
    case bulk
    /// nginx with one short answer, and one of `bodyBytes` at `bodyPath`.
    case http
    /// Ours, which sends datagrams back.
    case echo

    /// Where a medium answer is.
    static let bodyPath = "/100KiB"
    static let bodyBytes = 100 << 10
    /// Where a large one is.
    static let largePath = "/10MiB"
    static let largeBytes = 10 << 20
}

/// One measurement's processes: a fresh app, and a fresh proxy before it. All end with this object.
final class Rig {
    let network: Network
    let files: WorkFolder
    /// Where the client connects.
    let target: Endpoint
    /// Where the app listens.
    let upstream: Endpoint
    let app: ChildProcess
    /// The proxy; nil if the client connects to the app.
    private(set) var proxy: ChildProcess?
    private let peer: Peer
    private let resources: Resources

    /// Starts the app, and waits until it listens.
    private init(peer: Peer, app: App, network: Network, resources: Resources, files: WorkFolder) throws {
        self.peer = peer
        self.resources = resources
        self.network = network
        self.files = files
        let isDirect = peer.role == .direct
        upstream = Endpoint(host: isDirect ? network.listenHost : "127.0.0.1", port: network.newPort())
        target = isDirect ? upstream : Endpoint(host: network.listenHost, port: network.newPort())
        let command: [String]
        switch app {
        case .bulk:
            command = ["iperf3", "--server", "--bind", upstream.host, "--port", "\(upstream.port)"]
        case .http:
            let folder = try files.newFolder()
            let template = Template(listen: upstream, upstream: upstream, files: folder)
            let text = try String(contentsOf: resources.httpApp, encoding: .utf8)
            try template.fill(text).write(toFile: "\(folder)/nginx.conf", atomically: false, encoding: .utf8)
            for (path, size) in [(App.bodyPath, App.bodyBytes), (App.largePath, App.largeBytes)] {
                try Data(repeating: UInt8(ascii: "x"), count: size).write(to: URL(fileURLWithPath: folder + path))
            }
            command = ["nginx", "-e", "stderr", "-p", folder, "-c", "\(folder)/nginx.conf"]
        case .echo:
            command = [
                resources.program, "datagram-echo", "--host", upstream.host, "--port", "\(upstream.port)",
            ]
        }
        self.app = try ChildProcess(network.app.inside(command), name: "the app", files: files)
        try ListeningSockets.wait(port: upstream.port, process: self.app, over: peer.mode, seconds: 5)
    }

    /// Starts the app, then the proxy, and waits until both listen.
    static func started(
        peer: Peer, app: App, network: Network, resources: Resources, files: WorkFolder
    ) throws -> Rig {
        let rig = try appOnly(peer: peer, app: app, network: network, resources: resources, files: files)
        guard peer.role != .direct else { return rig }
        let proxy = try rig.startProxy(at: rig.target)
        rig.proxy = proxy
        try ListeningSockets.wait(port: rig.target.port, process: proxy, over: peer.mode, seconds: 10)
        return rig
    }

    /// Starts the app, and leaves the proxy to the caller.
    static func appOnly(
        peer: Peer, app: App, network: Network, resources: Resources, files: WorkFolder
    ) throws -> Rig {
        try Rig(peer: peer, app: app, network: network, resources: resources, files: files)
    }

    /// Starts the proxy, and does not wait for it.
    /// - Parameters:
    ///   - endpoint: where it shall listen.
    ///   - wrapper: a command that becomes the proxy.
    func startProxy(at endpoint: Endpoint, wrapper: [String] = []) throws -> ChildProcess {
        let folder = try files.newFolder()
        let template = Template(listen: endpoint, upstream: upstream, files: folder)
        if let source = peer.folder {
            for name in try FileManager.default.contentsOfDirectory(atPath: source.path) where name != "peer.json" {
                let text = try String(contentsOf: source.appending(path: name), encoding: .utf8)
                try template.fill(text).write(toFile: "\(folder)/\(name)", atomically: false, encoding: .utf8)
            }
        }
        if peer.mode == .tls { try Rig.makeCertificate(in: folder) }
        return try ChildProcess(
            network.app.inside(wrapper + peer.command.map(template.fill)), name: peer.title,
            environment: peer.environment, files: files)
    }

    /// What the proxy takes for what it carries.
    var mode: Mode { peer.mode }

    /// Makes the file `server.pem` with a certificate and its key.
    private static func makeCertificate(in folder: String) throws {
        let (certificate, key) = ("\(folder)/server.crt", "\(folder)/server.key")
        try SystemCommand.run([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=localhost", "-keyout", key, "-out", certificate,
        ])
        let both = try [certificate, key].map { try String(contentsOfFile: $0, encoding: .utf8) }.joined()
        try both.write(toFile: "\(folder)/server.pem", atomically: false, encoding: .utf8)
    }

    /// What the proxy has used; nil where there is none.
    var meter: ProcessMeter? { proxy.map { ProcessMeter(root: $0.processID) } }

    /// Starts a program where the client is.
    func startClient(_ command: [String], hasInput: Bool = false) throws -> ChildProcess {
        try ChildProcess(
            network.client.inside(command), name: command[0] == resources.program ? command[1] : command[0],
            files: files,
            hasInput: hasInput)
    }

    /// Fails if the proxy has ended meanwhile.
    func checkProxy() throws {
        if let proxy, !proxy.isRunning { throw Failure("\(proxy.name) \(proxy.ending)\(proxy.complaint)") }
    }

    /// Ends the proxy and the app, and all that they started.
    func stop() {
        proxy?.terminate(grace: 0.05)
        app.terminate()
    }
}
