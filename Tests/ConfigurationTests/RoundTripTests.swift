import Configuration
import Network
import Observability
import Testing

@Suite struct RoundTripTests {
    @Test func writesEveryKey() throws {
        let configuration = try load(routes: ["8000"]).get()
        #expect(
            try configuration.yaml == """
                workers: auto
                log:
                  level: info
                  levels:
                    access: default
                    admin: default
                    configuration: default
                    discovery: default
                    listeners: default
                    log: default
                    loop: default
                    process: default
                    upstream: default
                  format: text
                  access: true
                admin:
                  listen: none
                  socket: none
                  allow: none
                  deny: none
                drain: 5s
                memory: auto
                defaults:
                  hold: 10s
                  connect_timeout: 1s
                  idle_timeout: auto
                  half_close_timeout: 5m
                  max_connections: 10000
                  connect: accept
                  upstream_connections:
                    max: unlimited
                    queue: 1000
                    queue_timeout: 10s
                  pool:
                    spare: 0
                    idle: 32
                    idle_timeout: 4s
                    max_requests: unlimited
                  source: default
                  per_client:
                    max_connections: unlimited
                    rate: unlimited
                    burst: auto
                  allow: none
                  deny: none
                  proxy_protocol:
                    accept: false
                    trusted_proxies: none
                    header_timeout: 3s
                    send: off
                  tls:
                    certificate: none
                    key: none
                    client_ca: none
                    client_certificate: required
                    handshake_timeout: 10s
                  http:
                    host: preserve
                    trusted_proxies: none
                    basic_auth:
                      file: none
                      realm: loopbridge
                    head_timeout: 10s
                    body_timeout: 30s
                    response_timeout: 1m
                    keep_alive_timeout: 1m
                    max_head_size: 32KiB
                    max_fields: 100
                    max_target_length: 8KiB
                routes:
                - name: '*:8000'
                  listen:
                  - '*:8000'
                  upstream: localhost:8000
                  protocol: tcp
                  hold: 10s
                  connect_timeout: 1s
                  idle_timeout: 1h
                  half_close_timeout: 5m
                  max_connections: 10000
                  connect: accept
                  upstream_connections:
                    max: unlimited
                    queue: 1000
                    queue_timeout: 10s
                  pool:
                    spare: 0
                    idle: 32
                    idle_timeout: 4s
                    max_requests: unlimited
                  source: default
                  per_client:
                    max_connections: unlimited
                    rate: unlimited
                    burst: auto
                  allow: none
                  deny: none
                  proxy_protocol:
                    accept: false
                    trusted_proxies: none
                    header_timeout: 3s
                    send: off
                  tls:
                    certificate: none
                    key: none
                    client_ca: none
                    client_certificate: required
                    handshake_timeout: 10s

                """)
    }

    @Test(arguments: RouteArgumentTests.good) func readsAnyRouteAgain(_ example: RouteArgumentTests.Good) throws {
        let written = try load(routes: [example.text]).get()
        let read = try load(yaml: written.yaml).get()
        #expect(read == written)
    }

    @Test(arguments: [
        "null", "~", "8080", "true", "a: b", "#x", "ü 🙂", "*", "- x", "'", "\"", " a ", "$", "${A}", "$$",
    ])
    func readsAnyNameAgain(name: String) throws {
        var written = try load(routes: ["8000"]).get()
        written.routes[0].name = name
        let read = try load(yaml: written.yaml).get()
        #expect(read == written)
    }

    @Test func readsEverySettingOfHTTPAgain() throws {
        let http = """
            host: '[::1]:3000', trusted_proxies: ['10.0.0.0/8', 'fd00::/8', unix], head_timeout: 1s, body_timeout: 2s,
            response_timeout: 3s, keep_alive_timeout: 4s, max_head_size: 5KiB, max_fields: 6, max_target_length: 700B
            """
        let pool = "spare: 1, idle: 2, idle_timeout: 3s, max_requests: 4"
        let written = try load(
            yaml: "routes: [{ listen: 80, upstream: 8000, protocol: http, pool: { \(pool) }, http: { \(http) } }]"
        ).get()
        let route = try #require(written.routes.first)
        #expect(route.protocol == .http)
        #expect(
            route.http
                == HTTPSettings {
                    $0.host = .name("[::1]:3000")
                    $0.trustedProxies = [.block(CIDR("10.0.0.0/8")!), .block(CIDR("fd00::/8")!), .unixSocket]
                    $0.headTimeout = .seconds(1)
                    $0.bodyTimeout = .seconds(2)
                    $0.responseTimeout = .seconds(3)
                    $0.keepAliveTimeout = .seconds(4)
                    $0.maxHeadSize = 5120
                    $0.maxFields = 6
                    $0.maxTargetLength = 700
                })
        #expect(
            route.pool
                == PoolSettings {
                    $0.spare = 1
                    $0.idle = 2
                    $0.idleTimeout = .seconds(3)
                    $0.maxRequests = 4
                })
        let read = try load(yaml: written.yaml).get()
        #expect(read == written)
    }

    @Test func readsUnixSocketsAgain() throws {
        let second = "{ unix: /run/b c.sock, mode: \"0640\", owner: app, group: '33' }"
        let listen = "['unix:/run/a.sock', \(second), 'unix:@d', systemd, systemd:web 2]"
        let written = try load(yaml: "routes: [{ listen: \(listen), upstream: 'unix:@e' }]").get()
        let route = try #require(written.routes.first)
        #expect(
            route.listen == [
                .unix(path: "/run/a.sock", UnixSocketAccess(mode: 0o660)),
                .unix(path: "/run/b c.sock", UnixSocketAccess(mode: 0o640, owner: "app", group: "33")),
                .unix(path: "@d", UnixSocketAccess()), .inherited(name: nil), .inherited(name: "web 2"),
            ])
        #expect(route.upstream == .address(.unix(path: "@e")))
        #expect(route.name == "unix:/run/a.sock")
        #expect(try load(yaml: written.yaml).get() == written)
    }

    @Test func readsEverySettingOfTLSAgain() throws {
        let tls = """
            certificate: a.crt, certificates: [{ certificate: b.crt, key: b.key }, { certificate: c.pem }],
            client_ca: ca.crt, client_certificate: optional, handshake_timeout: 1s
            """
        let written = try load(yaml: "routes: [{ listen: 443, upstream: 8000, tls: { \(tls) } }]").get()
        let settings = try #require(written.routes.first).tls
        #expect(
            settings
                == TLSSettings {
                    $0.certificate = "a.crt"
                    $0.certificates = [.init(certificate: "b.crt", key: "b.key"), .init(certificate: "c.pem")]
                    $0.clientCA = "ca.crt"
                    $0.clientCertificate = .optional
                    $0.handshakeTimeout = .seconds(1)
                })
        #expect(settings.pairs.map(\.certificate) == ["a.crt", "b.crt", "c.pem"])
        let read = try load(yaml: written.yaml).get()
        #expect(read == written)
    }

    @Test func readsEverySettingAgain() throws {
        let options = [
            "workers": "7", "log-level": "warning", "log-levels": "upstream=debug,access=error", "log-format": "json",
            "access-log": "false", "admin-listen": "9901", "admin-socket": "/run/a.sock",
            "admin-allow": "10.0.0.0/8,fd00::/8", "admin-deny": "10.9.0.0/16", "drain": "1ms", "memory": "64MiB",
            "hold": "2m", "connect-timeout": "3s", "idle-timeout": "4h", "half-close-timeout": "90s",
            "max-connections": "5", "connect": "first_byte", "upstream-connections": "3", "queue": "0",
            "queue-timeout": "7s", "spare": "2", "source": "per_client", "host": "app.example:8443",
            "client-connections": "9", "client-rate": "100/m",
            "allow": "192.0.2.0/24", "deny": "192.0.2.9 2001:db8::/32", "accept-proxy-protocol": "true",
            "proxy-protocol-from": "10.0.0.1", "send-proxy-protocol": "v1",
            "tls-certificate": "/tls/a.crt", "tls-key": "a.key", "tls-client-ca": "/tls/ca.crt",
            "trusted-proxies": "10.0.0.0/8,2001:db8::1,unix", "basic-auth": Repository.path("Tests/htpasswd"),
        ]
        #expect(Set(options.keys) == Set(ConfigurationOption.all.map(\.name)))
        let written = try load(options: options, routes: ["8000", "192.0.2.1:81:127.9.9.9:82", "83:84/http"]).get()
        #expect(written.routes[2].http.trustedProxies.count == 3)
        #expect(written.log.levels == PartLevels([.upstream: .debug, .access: .error]))
        let read = try load(yaml: written.yaml).get()
        #expect(read == written)
    }
}
