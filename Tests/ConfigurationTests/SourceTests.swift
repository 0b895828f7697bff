import Configuration
import Testing

@Suite struct SourceTests {
    @Test(arguments: ["8000", "localhost:8000", "127.0.0.1:8000", "127.1.2.3:8000"])
    func clientsCanHaveAddressesOnLoopback(upstream: String) throws {
        let yaml =
            "routes:\n- { listen: 80, upstream: '\(upstream)', source: per_client }\n- { listen: 81, upstream: 82 }"
        #expect(try load(yaml: yaml).get().routes.map(\.source) == [.perClient, .default])
    }

    @Test(arguments: ["[::1]:8000", "192.0.2.1:8000", "unix:/run/app.sock"])
    func elsewhereTheyCannot(upstream: String) {
        let text =
            "source per_client is not possible with upstream '\(upstream)'; it takes an app on 127.0.0.1 or localhost"
        let yaml = "routes:\n- listen: 80\n  upstream: '\(upstream)'\n  source: per_client"
        #expect(load(yaml: yaml).errorText == "config.yaml:3:13: \(text)")
        let route = "80:\(upstream)"
        #expect(load(options: ["source": "per_client"], routes: [route]).errorText == "route '\(route)': \(text)")
        // What holds for all routes can be taken back for one.
        let exempt =
            "defaults: { source: per_client }\nroutes:\n- { listen: 80, upstream: '\(upstream)', source: default }"
        #expect(load(yaml: exempt).errorText.isEmpty)
    }

    @Test func namesWhatThereIs() {
        #expect(
            load(yaml: "routes:\n- { listen: 80, upstream: 81, source: per-client }").errorText
                == "config.yaml:2:39: expected default or per_client, found 'per-client'; did you mean 'per_client'?")
    }
}
