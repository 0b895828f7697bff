import Testing
import YAML

@Suite struct YAMLEmitterTests {
    private func scalar(_ text: String, _ style: YAMLNode.Style = .plain) -> YAMLNode {
        YAMLNode(.scalar(text, style))
    }

    @Test func writesOneKeyALine() throws {
        let node = YAMLNode(
            .mapping([
                YAMLNode.Entry(key: scalar("drain"), value: scalar("5s")),
                YAMLNode.Entry(
                    key: scalar("routes"),
                    value: YAMLNode(
                        .sequence([
                            YAMLNode(
                                .mapping([
                                    YAMLNode.Entry(key: scalar("listen"), value: scalar("[::]:80")),
                                    YAMLNode.Entry(key: scalar("name"), value: scalar("80", .quoted)),
                                ]))
                        ]))),
                YAMLNode.Entry(key: scalar("none"), value: YAMLNode(.sequence([]))),
            ]))
        #expect(
            try node.yamlText == """
                drain: 5s
                routes:
                - listen: '[::]:80'
                  name: "80"
                none: []

                """)
    }

    @Test(arguments: ["", " a ", "*:80", "a: b", "a #b", "'", "\"", "\\", "[::1]:80", "a\nb", "ü", "- x", "\u{7}", "🙂"])
    func quotesWhatNeedsIt(text: String) throws {
        let written = try YAMLNode(.mapping([YAMLNode.Entry(key: scalar("key"), value: scalar(text))])).yamlText
        guard case .mapping(let entries) = try YAMLNode(parsing: Array(written.utf8)).content else {
            Issue.record("not a mapping: \(written)")
            return
        }
        guard case .scalar(let read, _)? = entries.first?.value.content else {
            Issue.record("not a scalar: \(written)")
            return
        }
        #expect(read == text)
    }

    @Test func keepsLongTextOnOneLine() throws {
        let text = String(repeating: "word ", count: 100) + "end"
        #expect(try scalar(text).yamlText.hasPrefix(text))
    }
}
