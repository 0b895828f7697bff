import Configuration
import Testing

@Suite struct DiagnosticReportTests {
    /// What a person reads of a file, its environment and the command line.
    private func report(
        _ yaml: String?, environment: [String: String] = [:], options: [String: String] = [:], routes: [String] = []
    ) -> String {
        switch load(yaml: yaml, environment: environment, options: options, routes: routes) {
        case .success: ""
        case .failure(let errors): errors.report
        }
    }

    /// The line that is shown and the one with the mark, for a file of this one line.
    private func excerpt(_ line: String) -> [String] {
        report(line, routes: ["8000"]).split(separator: "\n").dropFirst().prefix(2).map { String($0.dropFirst(8)) }
    }

    @Test func marksTheFault() {
        #expect(
            report("drain: 5s\nrouts: []\n", routes: ["8000"]) == """
                config.yaml:2:1: error: unknown key 'routs' at the top level; did you mean 'routes'?
                    2 | routs: []
                      | ^~~~~

                """)
    }

    @Test func marksWhatANoteSpeaksOf() {
        #expect(
            report("drain: 5s\ndrain: 6s\n", routes: ["8000"]) == """
                config.yaml:2:1: error: duplicate key 'drain' at the top level
                    2 | drain: 6s
                      | ^~~~~
                config.yaml:1:1: note: first here
                    1 | drain: 5s
                      | ^~~~~

                """)
    }

    @Test func namesOtherSources() {
        #expect(
            report(nil, environment: ["LOOPBRIDGE_DRAIN": "x"], options: ["hold": "y"], routes: ["80:1", "80:2"]) == """
                loopbridge: error: LOOPBRIDGE_DRAIN: expected a duration such as 10s, found 'x'
                loopbridge: error: --hold: expected a duration such as 10s, found 'y'
                loopbridge: error: route '80:2': 0.0.0.0:80 is listened on twice
                    note: the other is at route '80:1'

                """)
        #expect(report(nil).hasPrefix("loopbridge: error: no route is given; "))
        #expect(report("").hasPrefix("loopbridge: error: config.yaml: no route is given; "))
    }

    @Test(arguments: [
        ("drain: 5x", "drain: 5x", "       ^~"),
        // A tab moves on to a column that is a multiple of four.
        ("drain:\t5x", "drain:  5x", "        ^~"),
        ("drain: 5x\t#", "drain: 5x   #", "       ^~"),
        // Two columns each: East Asian characters and emoji; none: what combines.
        ("日本: 5", "日本: 5", "^~~~"),
        ("{ 日: 5, drain: 5x }", "{ 日: 5, drain: 5x }", "  ^~"),
        ("e\u{301}e: 5", "e\u{301}e: 5", "^~"),
        ("ａ: 5", "ａ: 5", "^~"),
        ("👩‍👩‍👧: 5", "👩‍👩‍👧: 5", "^~"),
        ("❤️: 5", "❤️: 5", "^~"),
        // Nothing that a terminal would obey.
        ("a\u{202E}b: 5", "a\\u{202E}b: 5", "^~~~~~~~~~"),
        ("drain: \"\u{2066}\"", "drain: \"\\u{2066}\"", "       ^~~~~~~~~~"),
        // Behind the end of the line.
        ("drain:", "drain:", "      ^"),
        ("drain: # none", "drain: # none", "      ^"),
    ])
    func placesTheMark(line: String, shown: String, mark: String) {
        #expect(excerpt(line) == [shown, mark])
    }

    @Test func showsAPartOfALongLine() {
        let spaces = String(repeating: " ", count: 500)
        let lines = excerpt("{ \(spaces)drain: 5x, log: \(String(repeating: "y", count: 500)) }")
        #expect(lines[0].hasPrefix("… "))
        #expect(lines[0].hasSuffix("y…"))
        #expect(lines[0].count == 122)
        #expect(lines[1].count == 83)
        #expect(lines[0].dropFirst(81).hasPrefix("5x"))
    }

    @Test(arguments: ["\n", "\r\n", "\r", "\u{2028}", "\u{85}"]) func countsLinesAsYAMLDoes(lineBreak: String) {
        let text = report("workers: 2\(lineBreak)drain: 5x\(lineBreak)", routes: ["8000"])
        #expect(text.hasSuffix("    2 | drain: 5x\n      |        ^~\n"))
    }

    @Test func ignoresAByteOrderMark() {
        #expect(report("\u{FEFF}drain: 5x", routes: ["8000"]).hasSuffix("    1 | drain: 5x\n      |        ^~\n"))
    }

    @Test func marksOnlyTheBeginningOfWhatGoesOn() {
        #expect(excerpt("drain: 'a\n  b'") == ["drain: 'a", "       ^"])
        #expect(excerpt("drain: [\n  b]") == ["drain: [", "       ^"])
    }

    @Test func hasAnEnd() {
        let text = report((0..<150).map { "a\($0): 1\n" }.joined(), routes: ["8000"])
        #expect(text.split(separator: "\n").count == 100 * 3 + 1)
        #expect(text.hasSuffix("loopbridge: and 50 more\n"))
    }
}
