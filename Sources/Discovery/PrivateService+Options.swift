/// Ports that a process was told to open to a debugger or the like, by its options and variables.
extension PrivateService {
    /// A port of such a service, and the option that names it.
    struct Claim: Equatable {
        let ports: ClosedRange<UInt16>
        let service: PrivateService
        let option: String
    }

    /// Returns the ports that a process's options and variables name.
    /// - Parameter contents: reads a small file by the path that the process would open it by; nil where it cannot be read.
    static func claims(
        of command: CommandLine, environment: [String: String] = [:], contents: (String) -> String? = { _ in nil }
    ) -> [Claim] {
        var claims: [Claim] = []
        func claim(_ port: UInt16?, _ service: PrivateService, by option: String) {
            if let port, port > 0 { claims.append(Claim(ports: port...port, service: service, option: option)) }
        }
        for (name, service) in variables { claim(environment[name].flatMap(port), service, by: name) }

        var arguments = command.arguments
        for name in variablesWithOptions {
            arguments += (environment[name] ?? "").split(whereSeparator: \.isWhitespace).map(String.init)
        }
        if command.runtime == .java {
            arguments = arguments.flatMap { argument in
                argument.hasPrefix("@")
                    ? (contents(String(argument.dropFirst())) ?? "").split(whereSeparator: \.isWhitespace).map(
                        String.init)
                    : [argument]
            }
        }
        let ownOptions = ownOptions(of: command)
        // A debugger's options are followed by those of the program that it runs.
        var ownEnd = arguments.firstIndex(of: "--") ?? arguments.endIndex
        for (index, argument) in arguments.enumerated() {
            let next = index + 1 < arguments.count ? arguments[index + 1] : nil
            let (name, value) = parts(of: argument)
            let ownService = index < ownEnd ? ownOptions[name] : nil
            if let ownService, ownService != .fastCGI { ownEnd = index }
            if let service = ownService ?? anywhere[name] {
                // Node.js takes the argument after --inspect for the script.
                let text = value ?? (withoutNext.contains(name) ? nil : next)
                claim(text.flatMap(port), service, by: name)
            } else if let value, let service = propertyServices[name] {
                claim(port(in: value), service, by: name)
            } else if agents.contains(where: argument.hasPrefix), argument.contains("jdwp") {
                claim(attribute("address", of: argument).flatMap(port), .java, by: "jdwp")
            } else if name == "--debugger-agent" {
                claim(attribute("address", of: value ?? "").flatMap(port), .dotnet, by: name)
            } else if ["-gdb", "-monitor", "-qmp"].contains(name), let next, next.hasPrefix("tcp:") {
                claim(port(in: next), .machine, by: name)
            } else if name == "-s", command.names.contains(where: { $0.hasPrefix("qemu-system") }) {
                claim(1234, .machine, by: name)
            } else if name == "inet_dist_listen_min", let first = next.flatMap({ UInt16($0) }) {
                let last = following("inet_dist_listen_max", in: arguments).flatMap { UInt16($0) } ?? first
                claims.append(Claim(ports: first...max(first, last), service: .erlang, option: name))
            } else if isConnectionFile(argument), let text = contents(argument) {
                for port in portsOfKernel(text) { claim(port, .kernel, by: "its connection file") }
            }
        }
        return claims
    }

    /// Options that name such a port with this program, and may mean something else with another one.
    private static func ownOptions(of command: CommandLine) -> [String: PrivateService] {
        var options: [String: PrivateService] = [:]
        let names = Set(command.names)
        func has(_ programs: String...) -> Bool { !names.isDisjoint(with: programs) }
        func add(_ added: [String], _ service: PrivateService) { for name in added { options[name] = service } }
        // debugpy runs the app in the same process, which may listen elsewhere.
        if has("debugpy", "debugpy-run") { add(["--listen"], .debugpy) }
        if has("ptvsd", "pydevd", "pydevd.py") { add(["--port"], .pythonDebugger) }
        if has("rdbg", "rdebug-ide", "byebug") { add(["--port", "-p", "-R", "--remote"], .ruby) }
        if has("uwsgi", "uwsgi-core") {
            add(["--uwsgi-socket", "--fastcgi-socket", "--scgi-socket"], .fastCGI)
            if !speaksHTTP(command.arguments) { add(["-s", "--socket"], .fastCGI) }
        }
        if has("spawn-fcgi") { add(["-p"], .fastCGI) }
        return options
    }

    /// Whether uWSGI is told to speak HTTP on its plain sockets.
    private static func speaksHTTP(_ arguments: [String]) -> Bool {
        let names: Set = ["--protocol", "--socket-protocol"]
        return arguments.indices.contains { index in
            let (name, value) = parts(of: arguments[index])
            guard names.contains(name) else { return false }
            return (value ?? (index + 1 < arguments.count ? arguments[index + 1] : "")).hasPrefix("http")
        }
    }

    /// Options that name such a port, whichever program has them.
    private static let anywhere: [String: PrivateService] = [
        "--inspect": .inspector, "--inspect-brk": .inspector, "--inspect-wait": .inspector,
        "--inspect-brk-node": .inspector, "--inspect-port": .inspector, "--debug-port": .inspector,
        "--inspector-port": .inspector, "--inspector-addr": .inspector,
        "--remote-debugging-port": .devTools, "-remote-debugging-port": .devTools,
        "--start-debugger-server": .browser, "-start-debugger-server": .browser, "--marionette-port": .browser,
        "--observe": .dart, "--enable-vm-service": .dart, "--vm-service-port": .dart, "--dds-port": .dart,
        "-erl_epmd_port": .erlang,
    ]

    private static let withoutNext: Set = ["--inspect", "--inspect-brk", "--inspect-wait", "--inspect-brk-node"]

    /// Properties of a Java virtual machine.
    private static let propertyServices: [String: PrivateService] = [
        "-Dcom.sun.management.jmxremote.port": .management, "-Dcom.sun.management.jmxremote.rmi.port": .management,
        "-Dcom.sun.management.jmxremote.local.port": .management,
    ]

    private static let agents = ["-agentlib:jdwp", "-Xrunjdwp:", "-agentpath:"]

    private static let variables: [(String, PrivateService)] = [
        ("BUN_INSPECT", .bun), ("RUBY_DEBUG_PORT", .ruby), ("REMOTE_PDB_PORT", .pythonDebugger),
        ("CELERY_RDB_PORT", .pythonDebugger), ("QTWEBENGINE_REMOTE_DEBUGGING", .devTools),
        ("WEBKIT_INSPECTOR_SERVER", .browser), ("WEBKIT_INSPECTOR_HTTP_SERVER", .browser),
    ]

    /// Variables that runtimes read more options from.
    private static let variablesWithOptions = [
        "NODE_OPTIONS", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "MONO_ENV_OPTIONS",
        "QTWEBENGINE_CHROMIUM_FLAGS",
    ]

    /// Splits `--inspect_brk=9333` into `--inspect-brk` and `9333`: Node.js takes underscores too.
    private static func parts(of argument: String) -> (name: String, value: String?) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0].hasPrefix("--") ? parts[0].replacing("_", with: "-")[...] : parts[0])
        return (name, parts.count == 2 ? String(parts[1]) : nil)
    }

    /// Returns the port in `9333`, `[::1]:9333`, `*:5005`, `tcp::1234,server`, `9333/127.0.0.1` and
    /// `ws://localhost:6499/path`.
    static func port(in text: String) -> UInt16? {
        var text = text[...]
        if let scheme = text.firstRange(of: "://") { text = text[scheme.upperBound...] }
        text = text.prefix { $0 != "/" && $0 != "," }
        return UInt16(text.split(separator: ":").last ?? "")
    }

    /// Returns the value of `NAME=` in a list with commas.
    private static func attribute(_ name: String, of list: String) -> String? {
        list.split(separator: ",").lazy
            .compactMap { part in part.firstRange(of: "\(name)=").map { String(part[$0.upperBound...]) } }.first
    }

    private static func following(_ name: String, in arguments: [String]) -> String? {
        arguments.firstIndex(of: name).flatMap { $0 + 1 < arguments.count ? arguments[$0 + 1] : nil }
    }

    private static func isConnectionFile(_ argument: String) -> Bool {
        argument.hasSuffix(".json") && (argument.split(separator: "/").last?.hasPrefix("kernel") ?? false)
    }

    /// Returns the ports in a Jupyter kernel's connection file: `"shell_port": 5001`, and four more.
    private static func portsOfKernel(_ text: String) -> [UInt16] {
        text.split { $0 == "," || $0 == "{" || $0 == "}" }.compactMap { entry in
            let parts = entry.split { $0 == ":" || $0 == "\"" || $0.isWhitespace }
            guard parts.count == 2, parts[0].hasSuffix("_port") else { return nil }
            return UInt16(parts[1])
        }
    }
}
