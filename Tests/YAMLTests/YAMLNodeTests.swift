import Testing
import YAML

/// The node's content without positions, in one line.
private func outline(_ node: YAMLNode) -> String {
    switch node.content {
    case .scalar(let text, .plain): text
    case .scalar(let text, .quoted): "'\(text)'"
    case .sequence(let items): "[\(items.map(outline).joined(separator: " "))]"
    case .mapping(let entries):
        "{\(entries.map { "\(outline($0.key)):\(outline($0.value))" }.joined(separator: " "))}"
    }
}

@Suite struct YAMLNodeTests {
    @Test(arguments: [
        ("", "{}"),
        ("# only a comment\n", "{}"),
        ("---\n", "{}"),
        ("\u{FEFF}a: 1", "{a:1}"),
        ("a: 1\nb: [x, 'y', \"z\"]\n", "{a:1 b:[x 'y' 'z']}"),
        ("a: {b: c}\n", "{a:{b:c}}"),
        ("a:\n- b\n-\n  c: d\n", "{a:[b {c:d}]}"),
        ("a: 1\na: 2\n", "{a:1 a:2}"),
        ("a: |\n  one\n  two\n", "{a:'one\ntwo\n'}"),
        ("- ü\n", "[ü]"),
        ("text", "text"),
        ("%YAML 1.1\n---\na: b\n", "{a:b}"),
    ])
    func reads(text: String, expected: String) throws {
        let node = try YAMLNode(parsing: Array(text.utf8))
        #expect(outline(node) == expected)
    }

    @Test func knowsWhereThingsStand() throws {
        let root = try YAMLNode(parsing: Array("drain: 5s\nroutes:\n  - ü: [a, b]\n    empty:\n".utf8))
        guard case .mapping(let entries) = root.content, case .sequence(let routes) = entries[1].value.content,
            case .mapping(let route) = routes[0].content, case .sequence(let items) = route[0].value.content
        else {
            Issue.record("another shape: \(root)")
            return
        }
        #expect(entries[0].value.position == YAMLPosition(line: 1, column: 8))
        #expect(entries[1].key.position == YAMLPosition(line: 2, column: 1))
        #expect(routes[0].position == YAMLPosition(line: 3, column: 5))
        #expect(items[1].position == YAMLPosition(line: 3, column: 12))
        #expect(route[1].value.position == YAMLPosition(line: 4, column: 11))
        #expect(route[1].value.isNull)
    }

    @Test(arguments: [("~", true), ("null", true), ("'null'", false), ("''", false), ("nil", false)])
    func tellsNothingFromText(text: String, isNull: Bool) throws {
        let node = try YAMLNode(parsing: Array(text.utf8))
        #expect(node.isNull == isNull)
        #expect((node.text == nil) == isNull)
    }

    @Test func ordersPositions() {
        let first = YAMLPosition(line: 1, column: 9)
        #expect(first < YAMLPosition(line: 2, column: 1))
        #expect(first < YAMLPosition(line: 1, column: 10))
        #expect(!(first < first))
    }
}
