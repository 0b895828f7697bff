import Configuration
import Network
import Testing

@Suite struct AdminSettingsTests {
    private static let routes = "\nroutes: [{ listen: 8080, upstream: 8000 }]"

    @Test func isOffByDefault() throws {
        #expect(try load(routes: ["8080:8000"]).get().admin == AdminSettings())
        #expect(AdminSettings().listen.isEmpty && AdminSettings().socket == nil && AdminSettings().allow.isEmpty)
    }

    @Test(arguments: [
        ("none", []), ("127.0.0.1:9901", ["127.0.0.1:9901"]), ("'[::1]:9901'", ["[::1]:9901"]),
        ("9901", ["0.0.0.0:9901", "[::]:9901"]), ("'*:9901'", ["0.0.0.0:9901", "[::]:9901"]),
        ("0.0.0.0:0", ["0.0.0.0:0"]),
    ])
    func listensWhereItIsTold(text: String, addresses: [String]) throws {
        let configuration = try load(yaml: "admin: { listen: \(text) }\(Self.routes)").get()
        #expect(configuration.admin.listen.map(\.description) == addresses)
        #expect(try load(yaml: configuration.yaml).get() == configuration)
    }

    @Test func takesSocketAndBlocks() throws {
        let configuration = try load(
            yaml: "admin: { socket: '/run/a b.sock', allow: [10.0.0.0/8, '::1'] }\(Self.routes)"
        ).get()
        #expect(configuration.admin.socket == "/run/a b.sock")
        #expect(configuration.admin.allow == [CIDR("10.0.0.0/8")!, CIDR("::1")!])
        #expect(try load(yaml: configuration.yaml).get() == configuration)
    }

    /// Each way to say it, with the listener of the route that it meets.
    @Test(arguments: [
        ("8080", "8000", "8080", "0.0.0.0:8080 is listened on twice"),
        ("127.0.0.1:8080", "8000", "8080", "127.0.0.1:8080 overlaps 0.0.0.0:8080"),
        ("8080", "8000", "172.17.0.2:8080", "0.0.0.0:8080 overlaps 172.17.0.2:8080"),
        (
            "0.0.0.0:8000", "8000", "8000",
            "0.0.0.0:8000 overlaps every non-loopback address on port 8000"
        ),
    ])
    func sharesNoAddressWithARoute(admin: String, upstream: String, listen: String, message: String) {
        let yaml = "admin: { listen: \(admin) }\nroutes: [{ listen: '\(listen)', upstream: \(upstream) }]"
        #expect(
            load(yaml: yaml).errorText
                == "config.yaml:1:18: \(message)\n    note: the other is at config.yaml:2:20")
        #expect(
            load(environment: ["LOOPBRIDGE_ADMIN_LISTEN": admin], options: [:], routes: ["\(listen):\(upstream)"])
                .errorText.hasPrefix("LOOPBRIDGE_ADMIN_LISTEN: "))
    }

    @Test(arguments: ["127.0.0.1:8000", "8081"]) func standsBesideARoute(admin: String) {
        // The same port on loopback is the app's, which only the kernel can know to be there.
        #expect(load(yaml: "admin: { listen: \(admin) }\nroutes: [{ listen: 8000, upstream: 8000 }]").errorText == "")
    }

    @Test func aDifferenceIsNamed() throws {
        let old = try load(routes: ["8080:8000"]).get()
        let new = try load(options: ["admin-listen": "9901"], routes: ["8080:8000"]).get()
        let difference = ConfigurationDifference(from: old, to: new)
        #expect(difference.settings == ["admin"])
        #expect(difference.summary == "1 route unchanged; changed besides: admin")
    }
}
