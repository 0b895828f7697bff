import Configuration
import Testing

/// Holds the documentation, the schema and the examples to the definitions of the keys.
@Suite struct DocumentationTests {
    /// A line of docs/configuration.md that describes a key.
    private func row(of key: ConfigurationKey) -> String {
        let standard = key.isRequired ? "required" : key.defaultText.map { "`\($0)`" } ?? key.derivedDefault ?? ""
        let cells = ["`\(key.name)`", key.type, standard, key.unit ?? "", key.help, "`\(key.name): \(key.example)`"]
        return "|" + cells.map { $0.isEmpty ? " |" : " \($0) |" }.joined()
    }

    @Test(arguments: ConfigurationKey.all.filter { !$0.path.hasPrefix("defaults.") })
    func documentsEveryKey(key: ConfigurationKey) throws {
        let section =
            switch key.path.split(separator: ".").dropLast().last {
            case nil: "### Top level"
            case "log"?: "### `log`"
            case "levels"?: "### `levels`, in `log`"
            case "admin"?: "### `admin`"
            case "upstream_connections"?: "### `upstream_connections`, in a route"
            case "pool"?: "### `pool`, in a route"
            case "per_client"?: "### `per_client`, in a route"
            case "proxy_protocol"?: "### `proxy_protocol`, in a route"
            case "tls"?: "### `tls`, in a route"
            case "certificates[]"?: "### `certificates`, in `tls`"
            case "http"?: "### `http`, in a route"
            case "basic_auth"?: "### `basic_auth`, in `http`"
            case "listen[]"?: "### `listen`, in a route"
            default: "### A route"
            }
        let text = try Repository.text("docs/configuration.md")
        let part = try #require(text.split(separator: "\(section)\n").last?.split(separator: "\n#").first)
        #expect(part.split(separator: "\n").contains { $0 == row(of: key) }, "\(row(of: key))")
    }

    /// No row is left over from a key that is gone.
    @Test func documentsNothingElse() throws {
        let rows = try Repository.text("docs/configuration.md").split(separator: "\n").filter {
            $0.hasPrefix("| `") && !$0.hasPrefix("| `--") && $0.split(separator: "|").count > 5
        }
        #expect(Set(rows.map(String.init)).subtracting(ConfigurationKey.all.map(row)) == [])
    }

    @Test func documentsTheDefaults() throws {
        let names = ConfigurationKey.all
            .filter { $0.path.hasPrefix("defaults.") && $0.path.count { $0 == "." } == 1 }.map { "`\($0.name)`" }
        let sentence = "\(names.dropLast().joined(separator: ", ")) and \(names.last ?? ""), each as in a route."
        #expect(try Repository.text("docs/configuration.md").contains("### `defaults`\n\n\(sentence)\n"))
        #expect(names.count == 15)
    }

    @Test(arguments: ConfigurationOption.all.map(\.name)) func documentsEveryOption(name: String) throws {
        let option = try #require(ConfigurationOption.all.first { $0.name == name })
        let lines = try Repository.text("docs/configuration.md").split(separator: "\n")
        #expect(
            lines.contains {
                $0.hasPrefix("| `--\(name)` | `\(option.environmentVariable)` |")
                    && $0.contains("| `\(option.defaultText)` |")
            })
    }

    @Test func describesEveryKey() {
        #expect(ConfigurationKey.all.allSatisfy { $0.help.hasSuffix(".") && !$0.type.isEmpty && !$0.example.isEmpty })
        let options = ConfigurationKey.all.filter { !$0.path.hasPrefix("defaults.") }.compactMap(\.option)
        #expect(options.sorted() == ConfigurationOption.all.map(\.name).sorted())
    }

    /// Each key's example is a value of it.
    @Test(arguments: ConfigurationKey.all) func takesEveryExample(key: ConfigurationKey) {
        let entry = "\(key.name): \(key.example)"
        let route = "{ listen: 8080, upstream: 8000 }"
        let yaml =
            switch key.path.split(separator: ".").dropLast().last {
            case nil: entry
            case "upstream_connections"?: "defaults: { upstream_connections: { \(entry) } }"
            case "pool"?: "defaults: { pool: { \(entry) } }"
            case "per_client"?: "defaults: { per_client: { \(entry) } }"
            case "proxy_protocol"?:
                "defaults: { proxy_protocol: { \(entry)"
                    + (key.name == "accept" ? ", trusted_proxies: 10.0.0.1" : "") + " } }"
            case "tls"? where ["key", "client_ca", "certificates"].contains(key.name):
                "defaults: { tls: { certificate: /tls/tls.crt, \(entry) } }"
            case "tls"?: "defaults: { tls: { \(entry) } }"
            case "certificates[]"? where key.name == "certificate":
                "defaults: { tls: { certificate: a, certificates: [{ \(entry) }] } }"
            case "certificates[]"?:
                "defaults: { tls: { certificate: a, certificates: [{ certificate: b, \(entry) }] } }"
            case "http"?: "defaults: { http: { \(entry) } }"
            case "basic_auth"?: "defaults: { http: { basic_auth: { \(entry) } } }"
            case "listen[]"?:
                "routes: [{ listen: { \(key.name == "unix" ? "" : "unix: /run/web.sock, ")\(entry) }, upstream: 8000 }]"
            case "log"?: "log: { \(entry) }"
            case "levels"?: "log: { levels: { \(entry) } }"
            case "admin"?: "admin: { \(entry) }"
            case "defaults"?: "defaults: { \(entry) }"
            default:
                "routes: [{ "
                    + ["listen: 8080", "upstream: 8000"].filter { !$0.hasPrefix(key.name) }.joined(separator: ", ")
                    + (key.name == "http" ? ", protocol: http" : "") + ", \(entry) }]"
            }
        #expect(load(yaml: yaml.contains("routes:") ? yaml : "\(yaml)\nroutes: [\(route)]").errorText == "")
    }

    /// The files in the documentation, between their fences.
    @Test func loadsTheDocumentedFiles() throws {
        let text = try Repository.text("docs/configuration.md")
        let files = text.split(separator: "```yaml\n").dropFirst().compactMap { $0.split(separator: "```").first }
            .filter { $0.contains("routes:") }
        #expect(files.count == 9)
        let names = try files.flatMap { try load(yaml: String($0)).get().routes.map(\.name) }
        #expect(
            names == [
                "web", "192.0.2.1:8080", "0.0.0.0:5432", "shop", "0.0.0.0:8080", "127.0.0.1:8080", "0.0.0.0:53",
                "0.0.0.0:53/udp", "0.0.0.0:8080", "*:8000", "0.0.0.0:8080",
            ])
    }

    /// What is shown of `check --explain` is what it says.
    @Test func explainsAsDocumented() throws {
        let yaml = """

            defaults: { hold: 3s }
            routes:
              - listen: 0.0.0.0:8080
                upstream: localhost:${APP_PORT}
            """
        let file = ConfigurationFile(path: "loopbridge.yaml", contents: Array(yaml.utf8))
        let loaded = try LoadedConfiguration(
            ConfigurationSources(
                file: file, environment: ["APP_PORT": "8000", "LOOPBRIDGE_IDLE_TIMEOUT": "2h"],
                options: ["max-connections": "7"]))
        let routes = try #require(try loaded.explanation.split(separator: "routes:").last)
        #expect(try Repository.text("docs/configuration.md").contains("```\nroutes:\(routes)```"))
    }

    @Test func showsErrorsAsDocumented() throws {
        let yaml = """
            routes:
              - listen: 8080
                upstream: 8000



                holt: 10s

            log: { level: debgu }
            """
        guard
            case .failure(let errors) = load(
                yaml: yaml, environment: ["LOOPBRIDGE_DRAIN": "5", "LOOPBRIDGE_ROUTES": "8000"], routes: ["80800:8000"])
        else {
            Issue.record("no error")
            return
        }
        #expect(try Repository.text("docs/configuration.md").contains("```\n\(errors.report)```"))
    }

    // MARK: The schema

    @Test func committedSchemaIsCurrent() throws {
        // To bring it up to date: loopbridge check --schema > config/loopbridge.schema.json
        #expect(try Repository.text("config/loopbridge.schema.json") == ConfigurationSchema.text)
    }

    // MARK: The reference

    @Test func referenceLoads() throws {
        let text = try Repository.text("config/loopbridge.yaml")
        #expect(text.hasPrefix("# yaml-language-server: $schema=loopbridge.schema.json\n"))
        let file = ConfigurationFile(path: "loopbridge.yaml", contents: Array(text.utf8))
        let loaded = try LoadedConfiguration(ConfigurationSources(file: file))
        #expect(loaded.warnings == [])
        #expect(try load(yaml: loaded.configuration.yaml).get() == loaded.configuration)
        // As it says, all but the routes are the defaults.
        var withoutRoutes = loaded.configuration
        withoutRoutes.routes = []
        #expect(withoutRoutes == Configuration(routes: []))
    }

    @Test(arguments: ConfigurationKey.all) func referenceHasEveryKey(key: ConfigurationKey) throws {
        let lines = try Repository.text("config/loopbridge.yaml").split(separator: "\n")
        let isInRoutes = key.path.hasPrefix("routes[].")
        let depth = key.path.count { $0 == "." }
        let spaces = String(repeating: " ", count: 2 * depth + (isInRoutes ? 2 : 0))
        // The defaults have each in a line of its own, so that there is room to say what it does, but for a list that has none.
        let isListed = key.path.contains("certificates")
        let isInline =
            (isInRoutes && depth > 1 || isListed)
            && lines.contains { $0.contains("{") && $0.contains(" \(key.name): ") }
        #expect(
            isInline || isListed && key.name == "certificates"
                || lines.contains { $0.hasPrefix("\(spaces)\(key.name):") || $0.hasPrefix("  - \(key.name):") })
    }
}
