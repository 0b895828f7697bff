import Configuration
import Testing
import YAML

@Suite struct HostileFileTests {
    private let good = """
        workers: 2
        log: { level: error, format: json, access: false }
        drain: 2s
        defaults: { hold: 3s, max_connections: 9 }
        routes:
          - name: "web"
            listen: [0.0.0.0:8080, '[::1]:8081']
            upstream: localhost:8000
            connect_timeout: 250ms
          - listen: 8000
            upstream: 127.0.0.1:8000
          - { listen: 9000, upstream: unix:/run/app.sock, protocol: tcp }

        """

    /// Whatever the bytes, there is a configuration or at least one error, each with a place in the text.
    private func survives(_ bytes: [UInt8]) -> Bool {
        let sources = ConfigurationSources(file: ConfigurationFile(path: "f", contents: bytes))
        do throws(ConfigurationErrors) {
            return try !Configuration.load(sources).routes.isEmpty
        } catch {
            let lines = bytes.count + 2
            return !error.diagnostics.isEmpty
                && error.diagnostics.allSatisfy { diagnostic in
                    guard case .file("f", let position, _) = diagnostic.location else { return false }
                    return position.map { 1...lines ~= $0.line && $0.column >= 1 } ?? true
                }
        }
    }

    @Test func survivesMutations() {
        #expect(load(yaml: good).errorText == "")
        var generator = SystemRandomNumberGenerator()
        let original = Array(good.utf8)
        let alphabet = Array("\u{0}\t\r\n:-[]{}'\"*&!|>%@#,0a~".utf8) + [0x80, 0xC3, 0xFF]
        for _ in 0..<10_000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = bytes.indices.randomElement(using: &generator) ?? 0
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes[index] = alphabet.randomElement(using: &generator) ?? 0
                case 2: bytes.remove(at: index)
                default: bytes.insert(alphabet.randomElement(using: &generator) ?? 0, at: index)
                }
            }
            #expect(survives(bytes), "\(bytes)")
        }
    }

    @Test(arguments: [
        ("[" + String(repeating: "[", count: 50_000), "f:1:33: lists and mappings are nested more than 32 deep"),
        ("routes: &a [*a]", "f:1:9: anchors ('&name') are not supported; quote text that begins with '&'"),
        ("a\u{0}", "f:1:2: the text must not contain a NUL byte"),
        (String(repeating: " ", count: 1_048_577), "f:1:1: the text is longer than 1048576 bytes"),
        ("a: 1\n---\nb: 2", "f:2:1: only one document is allowed"),
        ("a: !x b", "f:1:4: tags ('!name') are not supported; quote text that begins with '!'"),
    ])
    func refuses(text: String, expected: String) {
        let sources = ConfigurationSources(file: ConfigurationFile(path: "f", contents: Array(text.utf8)))
        let result = Result { () throws(ConfigurationErrors) in try Configuration.load(sources) }
        #expect(result.errorText == expected)
    }

    @Test func refusesInvalidUTF8() {
        let file = ConfigurationFile(path: "f", contents: Array("drain: ".utf8) + [0xFF])
        let result = Result { () throws(ConfigurationErrors) in
            try Configuration.load(ConfigurationSources(file: file))
        }
        #expect(result.errorText == "f:1:8: the text is not valid UTF-8")
    }

    /// As many faults as fit into a file are found in bounded time.
    @Test(.timeLimit(.minutes(1))) func survivesManyFaults() {
        let routes = (0..<10_000).map { "- {listen: \(1 + $0 % 50), upstream: \(1 + $0 % 49), x\($0): 1}" }
        let text = "routes:\n" + routes.joined(separator: "\n")
        #expect(survives(Array(text.utf8)))
    }
}
