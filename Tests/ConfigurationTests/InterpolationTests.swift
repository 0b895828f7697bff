import Configuration
import Observability
import Testing

@Suite struct InterpolationTests {
    private let environment = ["WEB": "web", "EMPTY": "", "PORT": "8000", "HOLD": "7s", "LIST": "[1, 2]", "A": "${B}"]

    /// The name of a route whose `name` is written so.
    private func name(_ yaml: String) -> String {
        switch load(yaml: "routes: [{ listen: 80, upstream: 8000, name: \(yaml) }]", environment: environment) {
        case .success(let configuration): configuration.routes[0].name
        case .failure(let errors): errors.description
        }
    }

    @Test(arguments: [
        ("'${WEB}'", "web"),
        (#""${WEB}""#, "web"),
        ("'a ${WEB}-${WEB} b'", "a web-web b"),
        ("'${NIX:-other}'", "other"),
        ("'${EMPTY:-other}'", "other"),
        ("'${WEB:-other}'", "web"),
        ("'x${NIX:-}'", "x"),
        ("'x${EMPTY}'", "x"),
        ("'$$'", "$"),
        ("'$${WEB}'", "${WEB}"),
        ("a$$b", "a$b"),
        ("'${NIX:-a b:c}'", "a b:c"),
        // What a value holds is text, and nothing else.
        ("'${LIST}'", "[1, 2]"),
        ("'${A}'", "${B}"),
    ])
    func inserts(yaml: String, expected: String) {
        #expect(name(yaml) == expected)
    }

    @Test(arguments: [
        ("'$WEB'", 47, "expected ${NAME}, or $$ for a '$' as it is; did you mean '${WEB}'?"),
        ("'a $'", 49, "expected ${NAME}, or $$ for a '$' as it is"),
        ("'a $-'", 49, "expected ${NAME}, or $$ for a '$' as it is"),
        ("'${WEB'", 47, "'${' without '}'"),
        ("'${}'", 47, "expected ${NAME} or ${NAME:-default}"),
        ("'${1}'", 47, "expected ${NAME} or ${NAME:-default}"),
        ("'${A B}'", 47, "expected ${NAME} or ${NAME:-default}"),
        ("'${WEB:?no}'", 47, "expected ${NAME} or ${NAME:-default}"),
        ("'${WEB-x}'", 47, "expected ${NAME} or ${NAME:-default}"),
        ("'${WEB:-${A}}'", 47, "the default in ${NAME:-default} must not contain '$'"),
        (
            "'$$ ${NIX}'", 50,
            "the environment variable 'NIX' is not set; ${NIX:-default} would say what holds without it"
        ),
        // With escapes in front of it, the place in the file is not known.
        (#""\t$WEB""#, 46, "expected ${NAME}, or $$ for a '$' as it is; did you mean '${WEB}'?"),
    ])
    func refuses(yaml: String, column: Int, message: String) {
        #expect(name(yaml) == "config.yaml:1:\(column): \(message)")
    }

    @Test func readsEveryKindOfScalar() throws {
        let yaml = """
            drain: ${HOLD}
            log: { level: "${LEVEL:-error}" }
            defaults:
              max_connections: ${PORT}
            routes:
            - listen: ["${PORT}", "127.0.0.1:${OTHER:-9000}"]
              upstream: unix:/run/${WEB}.sock
            """
        let configuration = try load(yaml: yaml, environment: environment).get()
        #expect(configuration.drain == .seconds(7))
        #expect(configuration.log.level == .error)
        let route = configuration.routes[0]
        #expect(route.maxConnections == 8000)
        #expect(route.listen.map(\.description) == ["0.0.0.0:8000", "[::]:8000", "127.0.0.1:9000"])
        #expect(route.upstream.description == "unix:/run/web.sock")
    }

    @Test func saysWhatAWrongValueWasWrittenAs() {
        #expect(
            load(yaml: "drain: ${WEB}\nroutes: [{ listen: 80, upstream: 8000 }]", environment: environment).errorText
                == """
                config.yaml:1:8: expected a duration such as 10s, found 'web'
                    note: it is written as '${WEB}', with values of the environment
                """)
    }

    /// A variable that the file names is no slip, whatever it is called.
    @Test func knowsTheVariablesThatTheFileNames() throws {
        let yaml = "routes: [{ listen: 80, upstream: '${LOOPBRIDGE_APP}' }]"
        #expect(load(yaml: yaml, environment: ["LOOPBRIDGE_APP": "8000"]).errorText == "")
        #expect(load(yaml: yaml, environment: ["LOOPBRIDGE_APP": "8000", "LOOPBRIDGE_AP": "1"]).errorText != "")
    }

    @Test func boundsTheText() {
        let long = String(repeating: "x", count: 3000)
        #expect(
            load(yaml: "drain: ${LONG}${LONG}\nroutes: [{ listen: 80, upstream: 80 }]", environment: ["LONG": long])
                .errorText.hasPrefix("config.yaml:1:8: the text is longer than 4096 bytes with its variables"))
    }

    @Test func leavesKeysAndRoutesAlone() {
        #expect(
            load(yaml: "${WEB}: 1\nroutes: [{ listen: 80, upstream: 8000 }]", environment: environment).errorText
                .hasPrefix("config.yaml:1:1: unknown key '${WEB}' at the top level"))
        #expect(load(environment: environment, routes: ["80:${PORT}"]).errorText != "")
    }
}
