import Testing
import YAML

@Suite struct HostileYAMLTests {
    private func fault(_ bytes: [UInt8]) -> String? {
        do throws(YAMLError) {
            _ = try YAMLNode(parsing: bytes)
            return nil
        } catch {
            return error.description
        }
    }

    @Test(arguments: [
        ("a: *b", "1:4: aliases ('*name') are not supported; quote text that begins with '*'"),
        ("a: &b c", "1:4: anchors ('&name') are not supported; quote text that begins with '&'"),
        ("a: &b [c]", "1:4: anchors ('&name') are not supported; quote text that begins with '&'"),
        ("a: &b {c: d}", "1:4: anchors ('&name') are not supported; quote text that begins with '&'"),
        ("a: !!str b", "1:4: tags ('!name') are not supported; quote text that begins with '!'"),
        ("a: !ruby/object {}", "1:4: tags ('!name') are not supported; quote text that begins with '!'"),
        ("a: *:8080", "1:4: text that begins with '*', '&' or '!' needs quotes"),
        ("a: 1\n---\nb: 2\n", "2:1: only one document is allowed"),
        ("a:\n\tb: c\n", "2:1: a tab cannot indent YAML; use spaces"),
        ("a: @b", "1:4: text that begins with '@' needs quotes"),
        ("a: [b", "2:1: expected ',' or ']'"),
        ("a: 'b", "1:4: the quote is not closed"),
        ("a: \"\\0\"", "1:4: text must not contain a NUL character"),
        ("a: \"\\uD800\"", "1:7: while parsing a quoted scalar: found invalid Unicode character escape code"),
        ("a: b\nc: \u{7}", "2:4: control characters are not allowed"),
        ("a: b\n  c: d", "2:4: ':' is not allowed here; check the indentation, or use quotes"),
        ("a: {b: c\n", "2:1: expected ',' or '}'"),
        ("a:\n  b: c\n d: e\n", "3:2: expected another key; check the indentation"),
        ("a:\n- b\n- c\nd\n", "4:1: expected ':' and a value behind this key"),
        ("- b\nd: e\n", "2:1: expected another '-'; check the indentation"),
        ("a: ${B}\nc: {d: ${B}}", "2:9: '${NAME}' needs quotes inside of brackets and braces"),
        ("a\u{0}b", "1:2: the text must not contain a NUL byte"),
    ])
    func refuses(text: String, expected: String) {
        #expect(fault(Array(text.utf8)) == expected)
    }

    @Test func refusesInvalidUTF8() {
        #expect(fault(Array("a: b\nü: ".utf8) + [0xC3, 0x28]) == "2:4: the text is not valid UTF-8")
        #expect(fault([0xFF, 0xFE, 0x61, 0x00]) == "1:1: the text is not valid UTF-8")
    }

    @Test(arguments: ["[", "{a: ", "- "])
    func refusesDeepNesting(opening: String) {
        let text = String(repeating: opening, count: 100_000)
        #expect(fault(Array(text.utf8))?.hasSuffix(": lists and mappings are nested more than 32 deep") == true)
    }

    @Test func allowsNestingUpToTheLimit() {
        func nested(_ depth: Int) -> [UInt8] {
            Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        #expect(fault(nested(YAMLLimits.depth)) == nil)
        #expect(fault(nested(YAMLLimits.depth + 1)) != nil)
    }

    @Test func refusesTooManyNodes() {
        let text = "[" + String(repeating: "a,", count: YAMLLimits.nodes) + "]"
        #expect(fault(Array(text.utf8))?.hasSuffix(": there are more than 65536 keys and values") == true)
    }

    @Test func refusesTooManyBytes() {
        let spaces = [UInt8](repeating: 0x20, count: YAMLLimits.bytes + 1)
        #expect(fault(spaces) == "1:1: the text is longer than 1048576 bytes")
        #expect(fault(Array(spaces.dropLast())) == nil)
    }

    @Test func survivesRandomBytes() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<5_000 {
            let alphabet = Array("ab:-[]{}'\"|>*&!#%@`,?\\ \t\r\n\u{0}\u{85}0".utf8) + [0xC3, 0xFF]
            let bytes = (0..<Int.random(in: 0...60, using: &generator)).map { _ in
                alphabet.randomElement(using: &generator) ?? 0
            }
            guard let node = try? YAMLNode(parsing: bytes) else { continue }
            #expect(fault(Array(try node.yamlText.utf8)) == nil, "\(bytes)")
        }
    }
}
