import HTTP1
import Relay
import Testing

@testable import Proxy

@Suite struct HTTPExchangeTests {
    private func exchange(_ input: String) -> HTTPExchange {
        let exchange = HTTPExchange(HeadLimits())
        exchange.append(input: Array(input.utf8).span)
        return exchange
    }

    private func text(_ exchange: HTTPExchange) -> String {
        exchange.useInput { bytes in
            var text = ""
            for index in bytes.indices { text.unicodeScalars.append(Unicode.Scalar(bytes[index])) }
            return (0, text)
        }
    }

    @Test func inputIsUsedUpFromTheFront() {
        let exchange = exchange("one two")
        exchange.useInput { _ in (4, ()) }
        #expect(text(exchange) == "two")
        exchange.append(input: Array(" three".utf8).span)
        #expect(text(exchange) == "two three")
        exchange.useInput { (9, #expect($0.count == 9)) }
        #expect(!exchange.hasInput)
    }

    /// What a client has sent must not show in another's request.
    @Test func nothingOfAClientIsLeftWhenItIsForgottenWhileItsInputIsLookedAt() {
        let exchange = exchange("GET / HTTP/1.1\r\n\r\nsecret")
        exchange.useInput { _ in (5, ()) }
        exchange.useInput { bytes in
            exchange.forget()
            return (bytes.count, ())
        }
        #expect(!exchange.hasInput)
    }

    @Test func whatWasReceivedBeyondABodyBeginsTheNextRequestOfTheSameClientOnly() {
        let bytes = Array("5\r\nhello\r\n0\r\n\r\nGET".utf8)
        for isSameClient in [true, false] {
            let exchange = HTTPExchange(HeadLimits())
            exchange.requestBody = BodyFrame(.chunked)
            var position = 0
            while !exchange.requestBody.hasEnded {
                position = exchange.requestBody.scan(bytes.span, from: position).next
            }
            exchange.requestBody.keep(bytes.span.extracting(position...))
            exchange.noteRequestProgress()
            if isSameClient { exchange.beginNext() } else { exchange.forget() }
            #expect(text(exchange) == (isSameClient ? "GET" : ""))
        }
    }
}
