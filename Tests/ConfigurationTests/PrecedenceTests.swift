import Configuration
import Network
import Observability
import Testing

@Suite struct PrecedenceTests {
    private let yaml = """
        workers: 2
        log: { level: error, format: json, access: false }
        drain: 2s
        routes:
          - { listen: 8080, upstream: 8000, hold: 2s }
          - { listen: 8081, upstream: 8001 }
        defaults: { hold: 3s, idle_timeout: 4s }
        """

    @Test func startsFromDefaults() throws {
        let configuration = try load(routes: ["8080:8000"]).get()
        let listen = [IPAddress.anyV4, .anyV6].map { ListenAddress.address(.ip($0, port: 8080)) }
        #expect(configuration == Configuration(routes: [Route(listen: listen, upstream: .localhost(port: 8000))]))
        #expect(configuration.workers == .auto)
        #expect(configuration.log == LogSettings())
        #expect(configuration.drain == .seconds(5))
        let route = configuration.routes[0]
        #expect(route.hold == .seconds(10))
        #expect(route.connectTimeout == .seconds(1))
        #expect(route.idleTimeout == .seconds(3600))
        #expect(route.halfCloseTimeout == .seconds(300))
        #expect(route.maxConnections == 10_000)
    }

    @Test func putsTheFileAboveTheDefaults() throws {
        let configuration = try load(yaml: yaml).get()
        #expect(configuration.workers == .count(2))
        #expect(
            configuration.log
                == LogSettings {
                    $0.level = .error
                    $0.format = .json
                    $0.access = false
                })
        #expect(configuration.drain == .seconds(2))
        #expect(configuration.routes.map(\.hold) == [.seconds(2), .seconds(3)])
        #expect(configuration.routes.map(\.idleTimeout) == [.seconds(4), .seconds(4)])
        #expect(configuration.routes.map(\.connectTimeout) == [.seconds(1), .seconds(1)])
    }

    @Test func putsTheEnvironmentAboveTheFile() throws {
        let environment = [
            "LOOPBRIDGE_WORKERS": "3", "LOOPBRIDGE_LOG_LEVEL": "debug", "LOOPBRIDGE_LOG_FORMAT": "text",
            "LOOPBRIDGE_ACCESS_LOG": "true", "LOOPBRIDGE_DRAIN": "5m", "LOOPBRIDGE_HOLD": "6s",
            "LOOPBRIDGE_CONNECT_TIMEOUT": "7s", "LOOPBRIDGE_IDLE_TIMEOUT": "8s",
            "LOOPBRIDGE_HALF_CLOSE_TIMEOUT": "9s", "LOOPBRIDGE_MAX_CONNECTIONS": "10",
            "LOOPBRIDGE_CONNECT": "first_byte", "LOOPBRIDGE_UPSTREAM_CONNECTIONS": "11", "LOOPBRIDGE_QUEUE": "12",
            "LOOPBRIDGE_QUEUE_TIMEOUT": "13s", "LOOPBRIDGE_SPARE": "14",
            "LOOPBRIDGE_SOURCE": "per_client", "LOOPBRIDGE_HOST": "upstream",
            "LOOPBRIDGE_TRUSTED_PROXIES": "10.0.0.0/8 fd00::/8", "LOOPBRIDGE_CONFIG": "config.yaml", "PATH": "/bin",
        ]
        let configuration = try load(yaml: yaml, environment: environment).get()
        #expect(configuration.workers == .count(3))
        #expect(configuration.log == LogSettings { $0.level = .debug })
        #expect(configuration.drain == .seconds(300))
        for route in configuration.routes {
            #expect(route.hold == .seconds(6))
            #expect(route.connectTimeout == .seconds(7))
            #expect(route.idleTimeout == .seconds(8))
            #expect(route.halfCloseTimeout == .seconds(9))
            #expect(route.maxConnections == 10)
            #expect(route.connect == .firstByte)
            #expect(
                route.upstreamConnections
                    == UpstreamConnections {
                        $0.max = 11
                        $0.queue = 12
                        $0.queueTimeout = .seconds(13)
                    })
            #expect(route.pool == PoolSettings { $0.spare = 14 })
            #expect(route.source == .perClient)
        }
        // Routes of TCP have none of it.
        #expect(configuration.routes.map(\.http) == [HTTPSettings(), HTTPSettings()])
        let routes = environment.merging(["LOOPBRIDGE_ROUTES": "8080:8000/http"]) { $1 }
        let http = try load(yaml: yaml, environment: routes).route.http
        #expect(http.host == .upstream)
        #expect(http.trustedProxies.map(\.description) == ["10.0.0.0/8", "fd00::/8"])
    }

    @Test(arguments: ConfigurationOption.all.map(\.name))
    func putsTheCommandLineAboveAll(name: String) throws {
        let option = try #require(ConfigurationOption.all.first { $0.name == name })
        let samples = [
            "auto", "4", "error", "json", "true", "false", "first_byte", "11s", "per_client", "upstream", "10.0.0.0/8",
            "v1", "upstream=error", "/run/a.sock", "10/s", "64MiB", Repository.path("Tests/htpasswd"),
        ]
        // To accept PROXY headers takes somebody from whom.
        var around = name == "proxy-protocol-from" ? [:] : ["LOOPBRIDGE_PROXY_PROTOCOL_FROM": "10.0.0.1"]
        // A key says nothing without its certificate.
        if ["tls-key", "tls-client-ca"].contains(name) { around["LOOPBRIDGE_TLS_CERTIFICATE"] = "/tls/tls.crt" }
        func loaded(environment: [String: String] = [:], options: [String: String] = [:]) throws -> Configuration {
            try load(
                environment: around.merging(environment) { $1 }, options: options, routes: ["1:2/http"]
            ).get()
        }
        let values = samples.filter { $0 != option.defaultText && (try? loaded(options: [name: $0])) != nil }
        let value = try #require(values.last)
        let fromCommandLine = try loaded(
            environment: [option.environmentVariable: option.defaultText], options: [name: value])
        let fromEnvironment = try loaded(environment: [option.environmentVariable: value])
        let byDefault = try loaded()
        #expect(fromCommandLine == fromEnvironment)
        #expect(fromCommandLine != byDefault)
        #expect(try loaded(options: [name: option.defaultText]) == byDefault)
    }

    @Test func mergesLevelsOfParts() throws {
        let yaml = """
            log: { level: warning, levels: { access: info, upstream: error, loop: debug } }
            routes: [{ listen: 8080, upstream: 8000 }]
            """
        let log = try load(
            yaml: yaml, environment: ["LOOPBRIDGE_LOG_LEVELS": "upstream=debug loop=default"],
            options: ["log-levels": "listeners=info"]
        ).get().log
        #expect(log.levels == PartLevels([.access: .info, .upstream: .debug, .listeners: .info]))
        #expect(log.allLevels[.access] == .info && log.allLevels[.loop] == .warning)
    }

    @Test(arguments: [
        ("upstream", "expected parts and levels such as upstream=debug, found 'upstream'"),
        ("=debug", "expected parts and levels such as upstream=debug, found '=debug'"),
        (",", "expected none, or parts and levels such as upstream=debug, found ','"),
        ("upstraem=debug", "; did you mean 'upstream'?"),
        ("upstream=warn", "expected default, debug, info, warning or error, found 'warn'; did you mean 'warning'?"),
        ("loop=info,loop=error", "'loop' is there twice"),
    ])
    func saysWhatIsWrongWithLevelsOfParts(text: String, message: String) {
        #expect(load(options: ["log-levels": text], routes: ["8000"]).errorText.contains(message))
    }

    @Test func replacesRoutesEntirely() throws {
        let environment = ["LOOPBRIDGE_ROUTES": " 1:2,3:4  5:6, "]
        let fromEnvironment = try load(yaml: yaml, environment: environment).get().routes
        #expect(fromEnvironment.map(\.name) == ["0.0.0.0:1", "0.0.0.0:3", "0.0.0.0:5"])
        #expect(fromEnvironment.map(\.hold) == [.seconds(3), .seconds(3), .seconds(3)])
        let fromArguments = try load(yaml: yaml, environment: environment, routes: ["7:8"]).get().routes
        #expect(fromArguments.map(\.name) == ["0.0.0.0:7"])
    }

    private static let allVariables =
        "expected LOOPBRIDGE_WORKERS, LOOPBRIDGE_LOG_LEVEL, LOOPBRIDGE_LOG_LEVELS, LOOPBRIDGE_LOG_FORMAT, "
        + "LOOPBRIDGE_ACCESS_LOG, LOOPBRIDGE_ADMIN_LISTEN, LOOPBRIDGE_ADMIN_SOCKET, LOOPBRIDGE_ADMIN_ALLOW, LOOPBRIDGE_ADMIN_DENY, "
        + "LOOPBRIDGE_DRAIN, LOOPBRIDGE_MEMORY, LOOPBRIDGE_HOLD, LOOPBRIDGE_CONNECT_TIMEOUT, LOOPBRIDGE_IDLE_TIMEOUT, "
        + "LOOPBRIDGE_HALF_CLOSE_TIMEOUT, LOOPBRIDGE_MAX_CONNECTIONS, LOOPBRIDGE_CONNECT, "
        + "LOOPBRIDGE_UPSTREAM_CONNECTIONS, LOOPBRIDGE_QUEUE, LOOPBRIDGE_QUEUE_TIMEOUT, LOOPBRIDGE_SPARE, "
        + "LOOPBRIDGE_SOURCE, LOOPBRIDGE_CLIENT_CONNECTIONS, LOOPBRIDGE_CLIENT_RATE, LOOPBRIDGE_ALLOW, LOOPBRIDGE_DENY, "
        + "LOOPBRIDGE_ACCEPT_PROXY_PROTOCOL, LOOPBRIDGE_PROXY_PROTOCOL_FROM, LOOPBRIDGE_SEND_PROXY_PROTOCOL, "
        + "LOOPBRIDGE_TLS_CERTIFICATE, LOOPBRIDGE_TLS_KEY, LOOPBRIDGE_TLS_CLIENT_CA, "
        + "LOOPBRIDGE_HOST, LOOPBRIDGE_TRUSTED_PROXIES, LOOPBRIDGE_BASIC_AUTH, LOOPBRIDGE_ROUTES, LOOPBRIDGE_CONFIG, "
        + "LOOPBRIDGE_STOP_TIMEOUT, LOOPBRIDGE_ONLY, LOOPBRIDGE_EXCEPT or LOOPBRIDGE_WATCH"

    @Test func takesEmptyVariablesAsUnset() throws {
        let configuration = try load(yaml: yaml, environment: ["LOOPBRIDGE_HOLD": "", "LOOPBRIDGE_ROUTES": ""]).get()
        #expect(configuration.routes.map(\.hold) == [.seconds(2), .seconds(3)])
    }

    @Test(arguments: [
        ("LOOPBRIDGE_HOLT", "LOOPBRIDGE_HOLT: unknown environment variable; did you mean LOOPBRIDGE_HOLD?"),
        (
            "LOOPBRIDGE_PORT",
            "LOOPBRIDGE_PORT: unknown environment variable; \(allVariables)"
        ),
        ("LOOPBRIDGE_ROUTE", "LOOPBRIDGE_ROUTE: unknown environment variable; did you mean LOOPBRIDGE_ROUTES?"),
        (
            "LOOPBRIDGE_SOMETHING_ELSE_ENTIRELY",
            "LOOPBRIDGE_SOMETHING_ELSE_ENTIRELY: unknown environment variable; \(allVariables)"
        ),
    ])
    func refusesUnknownVariables(name: String, expected: String) {
        #expect(load(environment: [name: "x"], routes: ["8000"]).errorText == expected)
    }

    /// Kubernetes sets these in every pod when a Service is named loopbridge.
    @Test func toleratesServiceVariables() {
        let environment = [
            "LOOPBRIDGE_SERVICE_HOST": "10.0.0.1", "LOOPBRIDGE_SERVICE_PORT": "80",
            "LOOPBRIDGE_SERVICE_PORT_HTTP": "80", "LOOPBRIDGE_PORT": "tcp://10.0.0.1:80",
            "LOOPBRIDGE_PORT_80_TCP": "tcp://10.0.0.1:80", "LOOPBRIDGE_PORT_80_TCP_PROTO": "tcp",
            "LOOPBRIDGE_PORT_80_TCP_PORT": "80", "LOOPBRIDGE_PORT_80_TCP_ADDR": "10.0.0.1",
            "LOOPBRIDGE_WEB_SERVICE_HOST": "10.0.0.2", "LOOPBRIDGE_WEB_PORT_53_UDP_ADDR": "10.0.0.2",
        ]
        #expect(load(environment: environment, routes: ["8000"]).errorText == "")
        #expect(load(environment: ["LOOPBRIDGE_PORT": "80"], routes: ["8000"]).errorText != "")
    }

    @Test func refusesUnknownOptions() {
        #expect(
            load(options: ["idel-timeout": "1s"], routes: ["8000"]).errorText
                == "--idel-timeout: unknown option; did you mean --idle-timeout?")
        #expect(load(options: ["zzz": "1s"], routes: ["8000"]).errorText == "--zzz: unknown option")
    }

    @Test func asksForARoute() {
        let message =
            "no route is given; give one as an argument ('loopbridge 8080:8000'), in LOOPBRIDGE_ROUTES, "
            + "or under 'routes' in the configuration file"
        #expect(load().errorText == message)
        #expect(load(yaml: "").errorText == "config.yaml: \(message)")
        #expect(load(yaml: "routes: []").errorText == "config.yaml: \(message)")
    }

    @Test func namesTheSourceOfAFault() {
        #expect(
            load(environment: ["LOOPBRIDGE_ROUTES": "8080:8000,x"], routes: ["y"]).errorText == """
                LOOPBRIDGE_ROUTES: route 'x': expected a port, found 'x'
                route 'y': expected a port, found 'y'
                """)
    }

    @Test func tellsUsageFromConfiguration() {
        func code(_ result: Result<Configuration, ConfigurationErrors>) -> Int32 {
            if case .failure(let errors) = result { errors.exitCode } else { 0 }
        }
        #expect(code(load()) == 64)
        #expect(code(load(routes: ["x"])) == 64)
        #expect(code(load(options: ["hold": "x"], routes: ["8000"])) == 64)
        #expect(code(load(yaml: "")) == 78)
        #expect(code(load(yaml: "a: b", routes: ["8000"])) == 78)
        #expect(code(load(environment: ["LOOPBRIDGE_HOLD": "x"], routes: ["8000"])) == 78)
        #expect(code(load(environment: ["LOOPBRIDGE_ROUTES": "x"])) == 78)
        #expect(code(load(environment: ["LOOPBRIDGE_HOLD": "x"], routes: ["x"])) == 78)
    }

    @Test func describesItsOptions() {
        let table = ConfigurationOption.all.map {
            "--\($0.name) \($0.placeholder) \($0.environmentVariable) \($0.defaultText)"
        }
        #expect(
            table == [
                "--workers auto|NUMBER LOOPBRIDGE_WORKERS auto",
                "--log-level debug|info|warning|error LOOPBRIDGE_LOG_LEVEL info",
                "--log-levels PART=LEVEL,... LOOPBRIDGE_LOG_LEVELS none",
                "--log-format text|json LOOPBRIDGE_LOG_FORMAT text",
                "--access-log true|false LOOPBRIDGE_ACCESS_LOG true",
                "--admin-listen none|ADDRESS LOOPBRIDGE_ADMIN_LISTEN none",
                "--admin-socket none|PATH LOOPBRIDGE_ADMIN_SOCKET none",
                "--admin-allow none|CIDR,... LOOPBRIDGE_ADMIN_ALLOW none",
                "--admin-deny none|CIDR,... LOOPBRIDGE_ADMIN_DENY none",
                "--drain DURATION LOOPBRIDGE_DRAIN 5s",
                "--memory auto|SIZE LOOPBRIDGE_MEMORY auto",
                "--hold DURATION LOOPBRIDGE_HOLD 10s",
                "--connect-timeout DURATION LOOPBRIDGE_CONNECT_TIMEOUT 1s",
                "--idle-timeout auto|DURATION LOOPBRIDGE_IDLE_TIMEOUT auto",
                "--half-close-timeout DURATION LOOPBRIDGE_HALF_CLOSE_TIMEOUT 5m",
                "--max-connections NUMBER LOOPBRIDGE_MAX_CONNECTIONS 10000",
                "--connect accept|first_byte LOOPBRIDGE_CONNECT accept",
                "--upstream-connections unlimited|NUMBER LOOPBRIDGE_UPSTREAM_CONNECTIONS unlimited",
                "--queue NUMBER LOOPBRIDGE_QUEUE 1000",
                "--queue-timeout DURATION LOOPBRIDGE_QUEUE_TIMEOUT 10s",
                "--spare NUMBER LOOPBRIDGE_SPARE 0",
                "--source default|per_client LOOPBRIDGE_SOURCE default",
                "--client-connections unlimited|NUMBER LOOPBRIDGE_CLIENT_CONNECTIONS unlimited",
                "--client-rate unlimited|NUMBER/s|m|h LOOPBRIDGE_CLIENT_RATE unlimited",
                "--allow none|CIDR,... LOOPBRIDGE_ALLOW none",
                "--deny none|CIDR,... LOOPBRIDGE_DENY none",
                "--accept-proxy-protocol true|false LOOPBRIDGE_ACCEPT_PROXY_PROTOCOL false",
                "--proxy-protocol-from none|unix|CIDR,... LOOPBRIDGE_PROXY_PROTOCOL_FROM none",
                "--send-proxy-protocol off|v1|v2 LOOPBRIDGE_SEND_PROXY_PROTOCOL off",
                "--tls-certificate none|PATH LOOPBRIDGE_TLS_CERTIFICATE none",
                "--tls-key none|PATH LOOPBRIDGE_TLS_KEY none",
                "--tls-client-ca none|PATH LOOPBRIDGE_TLS_CLIENT_CA none",
                "--host preserve|upstream|NAME LOOPBRIDGE_HOST preserve",
                "--trusted-proxies none|unix|CIDR,... LOOPBRIDGE_TRUSTED_PROXIES none",
                "--basic-auth none|PATH LOOPBRIDGE_BASIC_AUTH none",
            ])
        #expect(ConfigurationOption.all.allSatisfy { $0.help.hasSuffix(".") })
    }
}
