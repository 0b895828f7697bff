import Configuration
import Testing

@Suite struct RoundTripTests {
    /// A file of the repository.
    static func shipped(_ path: String) throws -> ConfigurationFile {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return try ConfigurationFile(reading: "/\(root)/\(path)")
    }

    @Test func writesEveryKey() throws {
        let configuration = try load(routes: ["8000"]).get()
        #expect(
            configuration.yaml == """
                workers: auto
                log:
                  level: info
                  format: text
                  access: true
                drain: 5s
                defaults:
                  hold: 10s
                  connect_timeout: 1s
                  idle_timeout: 1h
                  half_close_timeout: 5m
                  max_connections: 10000
                  source: default
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
                  source: default

                """)
    }

    @Test(arguments: RouteArgumentTests.good) func readsAnyRouteAgain(_ example: RouteArgumentTests.Good) throws {
        let written = try load(routes: [example.text]).get()
        let read = try load(yaml: written.yaml).get()
        #expect(read == written)
    }

    @Test(arguments: ["null", "~", "8080", "true", "a: b", "#x", "ü 🙂", "*", "- x", "'", "\"", " a "])
    func readsAnyNameAgain(name: String) throws {
        var written = try load(routes: ["8000"]).get()
        written.routes[0].name = name
        let read = try load(yaml: written.yaml).get()
        #expect(read == written)
    }

    @Test func readsEverySettingAgain() throws {
        let options = [
            "workers": "7", "log-level": "warning", "log-format": "json", "access-log": "false", "drain": "1ms",
            "hold": "2m", "connect-timeout": "3s", "idle-timeout": "4h", "half-close-timeout": "90s",
            "max-connections": "5", "source": "per_client",
        ]
        #expect(Set(options.keys) == Set(ConfigurationOption.all.map(\.name)))
        let written = try load(options: options, routes: ["8000", "192.0.2.1:81:127.9.9.9:82"]).get()
        let read = try load(yaml: written.yaml).get()
        #expect(read == written)
    }

    @Test func loadsTheReferenceFile() throws {
        let sources = ConfigurationSources(file: try Self.shipped("config/loopbridge.yaml"))
        let configuration = try Configuration.load(sources)
        #expect(!configuration.routes.isEmpty)
        let read = try load(yaml: configuration.yaml).get()
        #expect(read == configuration)
    }

    /// The reference and the documentation name every key that can be written.
    @Test(arguments: [("config/loopbridge.yaml", "", ":"), ("docs/configuration.md", "| `", "` |")])
    func namesEveryKey(path: String, before: String, after: String) throws {
        let text = String(decoding: try Self.shipped(path).contents, as: UTF8.self)
        let keys = try load(routes: ["8000"]).get().yaml.split(separator: "\n").compactMap { line in
            line.split(separator: ":").first?.drop { " -'".contains($0) }
        }.filter { $0.first?.isLetter == true }
        #expect(keys.count == 24)
        for key in keys where key != "log" {
            #expect(text.contains("\(before)\(key)\(after)"), "\(key)")
        }
    }

    @Test(arguments: ConfigurationOption.all.map(\.name)) func documentsEveryOption(name: String) throws {
        let option = try #require(ConfigurationOption.all.first { $0.name == name })
        let lines = String(decoding: try Self.shipped("docs/configuration.md").contents, as: UTF8.self)
            .split(separator: "\n")
        #expect(
            lines.contains {
                $0.hasPrefix("| `--\(name)` | `\(option.environmentVariable)` |")
                    && $0.contains("| `\(option.defaultText)` |")
            })
    }

    /// The example in the documentation, between its fences.
    @Test func loadsTheDocumentedExample() throws {
        let text = String(decoding: try Self.shipped("docs/configuration.md").contents, as: UTF8.self)
        let example = try #require(text.split(separator: "```yaml\n").last?.split(separator: "```").first)
        let routes = try load(yaml: String(example)).get().routes
        #expect(routes.map(\.name) == ["web", "192.0.2.1:8080"])
        #expect(routes.map(\.hold) == [.seconds(30), .seconds(30)])
    }
}
