import HTTP1
import Relay
import Testing

@testable import Proxy

@Suite struct HTTP1RequestReaderTests {
    private func reader(_ input: String) -> HTTP1RequestReader {
        let reader = HTTP1RequestReader(HeadLimits())
        reader.append(input: Array(input.utf8).span)
        return reader
    }

    private func text(_ reader: HTTP1RequestReader) -> String {
        reader.useInput { bytes in
            var text = ""
            for index in bytes.indices { text.unicodeScalars.append(Unicode.Scalar(bytes[index])) }
            return (0, text)
        }
    }

    @Test func inputIsUsedUpFromTheFront() {
        let reader = reader("one two")
        reader.useInput { _ in (4, ()) }
        #expect(text(reader) == "two")
        reader.append(input: Array(" three".utf8).span)
        #expect(text(reader) == "two three")
        reader.useInput { (9, #expect($0.count == 9)) }
        #expect(!reader.hasInput)
    }

    /// What a client has sent must not show in another's request.
    @Test func nothingOfAClientIsLeftWhenItIsForgottenWhileItsInputIsLookedAt() {
        let reader = reader("GET / HTTP/1.1\r\n\r\nsecret")
        reader.useInput { _ in (5, ()) }
        reader.useInput { bytes in
            reader.begin()
            reader.forgetInput()
            return (bytes.count, ())
        }
        #expect(!reader.hasInput)
    }

    @Test func whatWasReceivedBeyondABodyBeginsTheNextRequestOfTheSameClientOnly() {
        let bytes = Array("5\r\nhello\r\n0\r\n\r\nGET".utf8)
        for isSameClient in [true, false] {
            let reader = HTTP1RequestReader(HeadLimits())
            reader.body = BodyFrame(.chunked)
            var position = 0
            while !reader.body.hasEnded {
                position = reader.body.scan(bytes.span, from: position).next
            }
            reader.body.keep(bytes.span.extracting(position...))
            reader.keepSurplus()
            reader.begin()
            if !isSameClient { reader.forgetInput() }
            #expect(text(reader) == (isSameClient ? "GET" : ""))
        }
    }

    @Test func aSurplusIsTakenOnce() {
        let reader = HTTP1RequestReader(HeadLimits())
        reader.body = BodyFrame(.length(1))
        reader.body.advance(by: 1)
        reader.body.keep(Array("GET".utf8).span)
        reader.keepSurplus()
        reader.useInput { (2, #expect($0.count == 3)) }
        reader.keepSurplus()
        #expect(text(reader) == "T")
    }
}
