import Configuration
import Testing

@Suite struct WarningTests {
    private func warnings(
        _ yaml: String?, environment: [String: String] = [:], options: [String: String] = [:], routes: [String] = [],
        requiresRoutes: Bool = true
    ) throws -> [String] {
        let file = yaml.map { ConfigurationFile(path: "f", contents: Array($0.utf8)) }
        let sources = ConfigurationSources(file: file, environment: environment, options: options, routes: routes)
        return try LoadedConfiguration(sources, requiresRoutes: requiresRoutes).warnings.map(\.description)
    }

    private let route = "routes: [{ listen: 80, upstream: 8000 }]"

    @Test func ofAUselessHalfCloseTimeout() throws {
        let message = "half_close_timeout 2m has no effect: idle_timeout ends the connection after 1m"
        let defaults = "defaults: { half_close_timeout: 2m, idle_timeout: 1m }"
        // Once, however many routes it is for.
        #expect(
            try warnings("\(defaults)\nroutes: [{ listen: 80, upstream: 8000 }, { listen: 81, upstream: 8000 }]") == [
                "f:1:33: warning: \(message)\n    note: idle_timeout is set at f:1:51"
            ])
        #expect(try warnings(defaults, requiresRoutes: false).count == 1)
        #expect(
            try warnings(nil, options: ["half-close-timeout": "2m", "idle-timeout": "1m"], routes: ["80:8000"]) == [
                "--half-close-timeout: warning: \(message)\n    note: idle_timeout is set at --idle-timeout"
            ])
        #expect(
            try warnings("routes: [{ listen: 80, upstream: 8000, half_close_timeout: 2h }]") == [
                "f:1:60: warning: half_close_timeout 2h has no effect: idle_timeout ends the connection after 1h"
            ])
    }

    @Test func ofSparesThatNobodyCouldUse() throws {
        let message = "spare 3 has no effect: each client's connection comes from its own address"
        #expect(
            try warnings("routes: [{ listen: 80, upstream: 8000, pool: { spare: 3 }, source: per_client }]") == [
                "f:1:55: warning: \(message)\n    note: source is set at f:1:68"
            ])
        #expect(
            try warnings(nil, options: ["spare": "3", "source": "per_client"], routes: ["80:127.0.0.1:8000"]) == [
                "--spare: warning: \(message)\n    note: source is set at --source"
            ])
        #expect(try warnings("routes: [{ listen: 80, upstream: 8000, source: per_client }]") == [])
        #expect(try warnings("routes: [{ listen: 80, upstream: 8000, pool: { spare: 3 } }]") == [])
    }

    @Test func ofConnectionsThatAreKeptBehindAClientsName() throws {
        let reason = "has no effect: each client's connection begins with its own PROXY header"
        let route = "routes: [{ listen: 80, upstream: 80, protocol: http, proxy_protocol: { send: v1 }"
        #expect(
            try warnings("\(route), pool: { spare: 3, idle: 2 } }]") == [
                "f:1:99: warning: spare 3 \(reason)\n    note: send is set at f:1:78",
                "f:1:108: warning: idle 2 \(reason)\n    note: send is set at f:1:78",
            ])
        #expect(try warnings("\(route), pool: { spare: 0, idle: 0 } }]") == [])
        #expect(
            try warnings(nil, options: ["spare": "3", "send-proxy-protocol": "v2"], routes: ["80:8000"]) == [
                "--spare: warning: spare 3 \(reason)\n    note: send is set at --send-proxy-protocol"
            ])
    }

    @Test func ofTrustWithoutAcceptance() throws {
        let message = "has no effect: without 'accept: true' in 'proxy_protocol' no PROXY header is accepted"
        let route = "{ listen: 80, upstream: 8000, proxy_protocol: { trusted_proxies: 10.0.0.1, header_timeout: 9s } }"
        #expect(
            try warnings("routes: [\(route)]") == [
                "f:1:75: warning: trusted_proxies \(message)", "f:1:101: warning: header_timeout \(message)",
            ])
        #expect(try warnings("defaults: { proxy_protocol: { accept: true } }\nroutes: [\(route)]") == [])
        // A route may decline what the others do.
        let defaults = "defaults: { proxy_protocol: { accept: true, trusted_proxies: 10.0.0.1 } }"
        let declining = "{ listen: 81, upstream: 8001, proxy_protocol: { accept: false } }"
        #expect(
            try warnings("\(defaults)\nroutes: [{ listen: 80, upstream: 8000 }, \(declining)]") == [])
    }

    @Test func ofABurstWithoutARate() throws {
        let text = "routes: [{ listen: 80, upstream: 8000, per_client: { burst: 5"
        #expect(
            try warnings("\(text) } }]") == ["f:1:61: warning: burst has no effect without a rate, such as 10/s"])
        #expect(try warnings("\(text), rate: 1/m } }]") == [])
    }

    @Test func ofALostAccessLog() throws {
        #expect(
            try warnings("log: { level: error, access: true }\n\(route)") == [
                "f:1:30: warning: the access log is lost: its lines are of level info, and only error is logged\n"
                    + "    note: the level is set at f:1:15"
            ])
        #expect(try warnings("log: { level: error, access: false }\n\(route)") == [])
        #expect(try warnings("log: { level: error }\n\(route)") == [])
        #expect(try warnings("log: { level: error, levels: { access: info }, access: true }\n\(route)") == [])
        #expect(
            try warnings("log: { levels: { access: error }, access: true }\n\(route)") == [
                "f:1:43: warning: the access log is lost: its lines are of level info, and only error is logged\n"
                    + "    note: the level is set at f:1:26"
            ])
        #expect(try warnings("log: { level: info, access: true }\n\(route)") == [])
    }

    @Test func ofListenersOnLoopbackOnly() throws {
        let message = "this route listens on loopback only, as its app does: nobody outside can reach it"
        #expect(
            try warnings("routes: [{ listen: ['127.0.0.1:80', '[::1]:80'], upstream: 8000 }]") == [
                "f:1:21: warning: \(message)"
            ])
        #expect(try warnings(nil, routes: ["127.0.0.1:80:8000"]) == ["route '127.0.0.1:80:8000': warning: \(message)"])
        #expect(try warnings(nil, routes: ["127.0.0.1:80:192.0.2.1:80"]) == [])
        #expect(try warnings(nil, routes: ["127.0.0.1:80:unix:/run/app.sock"]) == [])
        #expect(try warnings("routes: [{ listen: ['127.0.0.1:80', '192.0.2.1:80'], upstream: 8000 }]") == [])
    }

    @Test func ofAPortThatTheKernelChooses() throws {
        #expect(
            try warnings("routes: [{ listen: 0, upstream: 8000 }]") == [
                "f:1:20: warning: port 0 lets the kernel choose, another port at each start"
            ])
        #expect(try warnings(nil, routes: ["0:8000"]) == [])
    }

    @Test func ofUnusedDefaults() throws {
        let yaml = "defaults: { hold: 3s }\nroutes: [{ listen: 80, upstream: 8000, hold: 4s }]"
        #expect(
            try warnings(yaml) == [
                "f:1:19: warning: nothing starts from 'defaults': every route sets what is here itself"
            ])
        // What is found while the program runs, or given on the command line, starts from them.
        #expect(try warnings(yaml, requiresRoutes: false) == [])
        #expect(try warnings(yaml, routes: ["80:8000"]) == [])
        let half = "defaults: { hold: 3s, idle_timeout: 1m }\nroutes: [{ listen: 80, upstream: 8000, hold: 4s }]"
        #expect(try warnings(half) == [])
    }

    @Test func ofReuseWhereThereIsNone() throws {
        let message = "has no effect: only 'protocol: http' uses connections again"
        #expect(
            try warnings("routes: [{ listen: 80, upstream: 8000, pool: { idle: 8, max_requests: 9 } }]") == [
                "f:1:54: warning: idle \(message)", "f:1:71: warning: max_requests \(message)",
            ])
        #expect(
            try warnings("routes: [{ listen: 80, upstream: 8000, pool: { idle_timeout: 1m } }]") == [
                "f:1:62: warning: idle_timeout \(message)"
            ])
        #expect(try warnings("routes: [{ listen: 80, upstream: 8000, protocol: http, pool: { idle: 8 } }]") == [])
        // For a route that may come; as `check` writes it.
        #expect(try warnings("defaults: { pool: { idle: 8 } }\n\(route)") == [])
        #expect(try warnings("routes: [{ listen: 80, upstream: 8000, pool: { idle: 32, spare: 1 } }]") == [])
    }

    @Test func ofOptionsOfHTTPWhereThereIsNone() throws {
        let message = "this has no effect: no route carries HTTP, as 8080:8000/http or 'protocol: http' would"
        #expect(
            try warnings(nil, options: ["host": "upstream", "trusted-proxies": "10.0.0.0/8"], routes: ["80:8000"]) == [
                "--host: warning: \(message)", "--trusted-proxies: warning: \(message)",
            ])
        #expect(
            try warnings(route, environment: ["LOOPBRIDGE_HOST": "upstream"]) == [
                "LOOPBRIDGE_HOST: warning: \(message)"
            ])
        #expect(try warnings(nil, options: ["host": "upstream"], routes: ["80:8000/http", "81:8001"]) == [])
        #expect(try warnings("defaults: { http: { host: upstream } }\n\(route)") == [])
    }

    @Test func ofTLSWhereThereAreOnlyDatagrams() throws {
        let options = ["tls-certificate": "/a.crt", "tls-key": "/a.key"]
        #expect(
            try warnings(nil, options: options, routes: ["53:53/udp"]) == [
                "--tls-certificate: warning: datagrams are not carried in TLS, and no route carries anything else"
            ])
        #expect(try warnings(nil, options: options, routes: ["53:53/udp", "853:53"]) == [])
    }

    @Test(arguments: [("upstrem", "upstream"), ("Upstream", "upstream"), ("preserved", "preserve")])
    func ofAHostThatIsASlip(host: String, meant: String) throws {
        #expect(
            try warnings("routes: [{ listen: 80, upstream: 8000, protocol: http, http: { host: \(host) } }]") == [
                "f:1:70: warning: '\(host)' is taken as a host name; did you mean '\(meant)'?"
            ])
    }

    @Test(arguments: ["stream", "upstream.example", "localhost", "preserve", "upstream"])
    func notOfOtherHosts(host: String) throws {
        #expect(try warnings(nil, options: ["host": host], routes: ["80:8000/http"]) == [])
    }

    @Test func ofATargetAsLargeAsTheHead() throws {
        let message =
            "max_target_length has no effect: max_head_size is no more than that, and the target is in the head"
        let start = "routes: [{ listen: 80, upstream: 8000, protocol: http, http: {"
        #expect(
            try warnings("\(start) max_target_length: 8KiB, max_head_size: 8KiB } }]") == [
                "f:1:83: warning: \(message)\n    note: max_head_size is set at f:1:104"
            ])
        #expect(try warnings("\(start) max_target_length: 32KiB } }]") == ["f:1:83: warning: \(message)"])
        #expect(try warnings("\(start) max_target_length: 16KiB } }]") == [])
        // Who wants small heads has said nothing of targets.
        #expect(try warnings("\(start) max_head_size: 4KiB } }]") == [])
    }

    /// Who overrides a value knows what it stood for.
    @Test func notOfWhatIsOverridden() throws {
        let file = "log: { access: true }\nroutes: [{ listen: 80, upstream: 8000, half_close_timeout: 2m }]"
        #expect(try warnings(file, options: ["idle-timeout": "1m", "log-level": "error"]) == [])
        #expect(
            try warnings(
                "defaults: { half_close_timeout: 2m }\nroutes: [{ listen: 80, upstream: 8000, idle_timeout: 1m }]")
                == [])
    }

    /// The timeout of half-closed connections has a default, which nobody has meant to be of use.
    @Test func notOfDefaults() throws {
        #expect(try warnings(nil, options: ["idle-timeout": "1m"], routes: ["80:8000"]) == [])
    }

    @Test func areShownWithTheirLines() throws {
        let file = ConfigurationFile(path: "f", contents: Array("routes: [{ listen: 0, upstream: 8000 }]".utf8))
        #expect(
            try LoadedConfiguration(ConfigurationSources(file: file)).warningReport == """
                f:1:20: warning: port 0 lets the kernel choose, another port at each start
                    1 | routes: [{ listen: 0, upstream: 8000 }]
                      |                    ^

                """)
    }
}
