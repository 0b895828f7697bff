import Testing

@testable import HTTP1

@Suite struct CharacterTests {
    private let alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

    @Test func setsHoldWhatTheirTextsSay() {
        let visible = String(decoding: UInt8(0x21)...0x7E, as: UTF8.self)
        for (set, text) in [
            (ByteSet.token, alphanumeric + "!#$%&'*+-.^_`|~"), (.target, visible.filter { $0 != "#" }),
            (.hostName, alphanumeric + "-._~!$&'()*+;="),
        ] {
            for byte in UInt8.min...UInt8.max {
                #expect(set.contains(byte) == text.utf8.contains(byte), "\(byte)")
            }
        }
    }

    /// Eight bytes at a time must find what one at a time does, wherever it stands.
    @Test func endOfTextIsTheFirstControl() {
        for byte in UInt8.min...UInt8.max {
            for place in 0..<20 {
                var bytes: [UInt8] = Array(repeating: 0xFF, count: 10) + Array(repeating: 0x20, count: 10)
                bytes[place] = byte
                let isControl = byte < 0x20 && byte != 0x09 || byte == 0x7F
                for start in [0, 1, place] {
                    let expected = isControl && place >= start ? place : bytes.count
                    #expect(bytes.span.endOfText(from: start, to: bytes.count) == expected)
                }
            }
        }
    }

    @Test func endsOfNamesAndTargetsAreFound() {
        for byte in UInt8.min...UInt8.max {
            for place in 0..<20 {
                var bytes = Array("x-abcdefgZ-Ghijklmn".utf8) + [0x7A]
                bytes[place] = byte
                for start in [0, 1, place] {
                    let found = (
                        bytes.span.endOfName(from: start, to: bytes.count),
                        bytes.span.endOfTarget(from: start, to: bytes.count)
                    )
                    #expect(found.0 == (ByteSet.token.contains(byte) || place < start ? bytes.count : place))
                    #expect(found.1 == (ByteSet.target.contains(byte) || place < start ? bytes.count : place))
                }
            }
        }
    }

    private func name(of text: String) -> FieldName {
        let bytes = Array(text.utf8)
        return FieldNameTable.shared.name(of: FoldedToken(bytes.span, 0..<bytes.count))
    }

    @Test(arguments: FieldName.allCases)
    func namesAreRecognised(name: FieldName) {
        guard let text = name.text else { return }
        for spelling in [text, text.uppercased(), text.prefix(1).uppercased() + text.dropFirst()] {
            // With bytes behind it and without.
            for bytes in [Array(spelling.utf8), Array("\(spelling): more than eight".utf8)] {
                #expect(
                    FieldNameTable.shared.name(of: FoldedToken(bytes.span, 0..<text.utf8.count)) == name)
            }
        }
        for other in ["\(text)x", "x\(text)", String(text.dropLast()), text.replacing("e", with: "~")]
        where other != text {
            let found = self.name(of: other)
            #expect(found.text == nil || found.text == other, "\(other) is taken for \(found)")
        }
        guard text.contains("-") else { return }
        let underscored = text.replacing("-", with: "_")
        #expect(self.name(of: underscored) == .underscored)
    }

    @Test(arguments: [
        ("x-forwarded-port", FieldName.forwardedOther), ("X-Forwarded-Client-Cert-Chain-Long", .forwardedOther),
        ("x-forwarded-", .other), ("x-forwardedfor", .other), ("x_forwarded_port", .underscored), ("x", .other),
        ("x_y", .other), ("proxy-authorisation", .other),
    ])
    func families(text: String, name: FieldName) {
        #expect(self.name(of: text) == name)
    }

    @Test(arguments: [
        ("GET", HTTP1.Method.get), ("HEAD", .head), ("POST", .post), ("PUT", .put), ("DELETE", .delete),
        ("OPTIONS", .options), ("TRACE", .trace), ("PATCH", .patch), ("CONNECT", .connect), ("get", .other),
        ("GETT", .other), ("CONNECTX", .other),
    ])
    func methods(text: String, method: HTTP1.Method) {
        #expect(HTTP1.Method(Array(text.utf8).span, 0..<text.utf8.count) == method)
    }
}
