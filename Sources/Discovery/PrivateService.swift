/// A service that gives its clients a process or its files, and relies on its loopback address to keep strangers away. It is
/// bridged only when its port is named.
public struct PrivateService: Hashable, Sendable {
    /// The name with its article, as in `the Node.js inspector`.
    public let name: String
    /// The things that a client can do there, as half a sentence.
    public let risk: String

    init(_ name: String, _ risk: String = "whoever reaches it owns the process") {
        self.name = name
        self.risk = risk
    }

    /// The evidence by which a service was recognised.
    public enum Evidence: Hashable, Sendable {
        /// The port is the usual one of such a service.
        case usualPort
        /// An option or a variable of the process names the port.
        case option(String)
        /// The program is such a service.
        case program(String)
        /// It was asked, and has answered as such a service does (``InspectorQuestion``).
        case answer

        /// A few words on the evidence, to follow "as".
        var description: String {
            switch self {
            case .usualPort: "this port says"
            case .option(let name): "\(name) says"
            case .program(let name): "the program \(name) says"
            case .answer: "it says itself when asked"
            }
        }
    }

    static let inspector = PrivateService("the Node.js inspector")
    static let bun = PrivateService("Bun's inspector")
    static let debugpy = PrivateService("debugpy")
    static let pythonDebugger = PrivateService("a Python debugger")
    static let java = PrivateService("a Java debugger (JDWP)")
    static let management = PrivateService("Java's management (JMX)")
    static let delve = PrivateService("Delve")
    static let nativeDebugger = PrivateService("a debugger")
    static let ruby = PrivateService("a Ruby debugger")
    static let dotnet = PrivateService("a .NET debugger")
    static let dart = PrivateService("Dart's VM service")
    static let machine = PrivateService("a virtual machine's monitor", "whoever reaches it owns the machine")
    static let devTools = PrivateService("Chrome DevTools")
    static let browser = PrivateService(
        "a browser's remote control", "whoever reaches it has the browser and its files")
    static let kernel = PrivateService("a Jupyter kernel's socket")
    static let erlang = PrivateService("Erlang's distribution")
    static let editor = PrivateService("an editor's server", "whoever reaches it has its files")
    static let languageServer = PrivateService("a language server", "whoever reaches it has its files")
    static let tunnel = PrivateService("a tunnel", "whoever reaches it is where it leads to")
    static let fastCGI = PrivateService("FastCGI or uwsgi", "whoever reaches it runs code in the app")
    static let docker = PrivateService("Docker's API", "whoever reaches it owns the machine")
    static let compute = PrivateService("a cluster's scheduler or worker", "whoever reaches it runs code there")
    static let control = PrivateService("a server's control port", "whoever reaches it can end or change the server")
    static let android = PrivateService("an Android debug bridge", "whoever reaches it owns the device")

    /// The services whose port is well known, whichever process listens.
    public static let byPort: [UInt16: PrivateService] = [
        2019: control, 2345: delve, 2375: docker, 2828: browser, 4369: erlang, 5005: java, 5037: android, 5678: debugpy,
        6499: bun, 9222: devTools, 9229: inspector, 9515: browser,
    ]

    /// Returns the service whose usual port this is with such a runtime.
    /// - Parameter runtime: the runtime of the process; nil where the process cannot be seen.
    static func usual(at port: UInt16, in runtime: Runtime?) -> PrivateService? {
        if let service = byPort[port] { return service }
        func mayBe(_ other: Runtime) -> Bool { runtime == nil || runtime == other }
        return switch port {
        // A cluster gives its workers the ports after its own.
        case 9230...9299 where mayBe(.javaScript): inspector
        // rpdb and remote-pdb; Celery's, which takes the first that is free of a hundred; Dask's scheduler.
        case 4444 where runtime == .python, 6899...6999 where runtime == .python: pythonDebugger
        case 8786 where runtime == .python: compute
        // byebug and ruby-debug-ide, as their manuals start them.
        case 1234 where runtime == .ruby, 8989 where runtime == .ruby: ruby
        // Py4J's gateway, the RMI registry, and the port on which Tomcat is told to end.
        case 25333 where runtime == .java, 1099 where runtime == .java: management
        case 8005 where runtime == .java: control
        default: nil
        }
    }

    /// A runtime that runs programs which are no executables themselves.
    enum Runtime: Sendable {
        case javaScript
        case python
        case ruby
        case java
        case other

        /// - Parameter program: the executable's name.
        init(program: String) {
            let name = program.prefix { $0.isLetter }
            self =
                switch name {
                case "node", "nodejs", "deno", "bun", "workerd", "electron": .javaScript
                case "python", "pypy": .python
                case "ruby", "jruby": .ruby
                case "java": .java
                default: .other
                }
        }
    }
}
