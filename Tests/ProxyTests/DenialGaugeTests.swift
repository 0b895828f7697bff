import EventLoop
import Testing

@testable import Proxy

/// How many of those who may not come in are a flood, and when it is over.
@Suite struct DenialGaugeTests {
    private let start = MonotonicTime.now

    @Test func aThousandInASecondAreAFlood() {
        var gauge = DenialGauge()
        let isFlood = (1...DenialGauge.flood).map { gauge.note(at: start.advanced(by: .microseconds(900 * $0))) }
        #expect(isFlood.dropLast().allSatisfy { !$0 } && isFlood.last == true)
        // From then on they are counted anew.
        #expect(!gauge.note(at: start.advanced(by: .milliseconds(901))))
    }

    @Test func fewerAreNone() {
        var gauge = DenialGauge()
        for number in 0..<(DenialGauge.flood * 5) {
            #expect(!gauge.note(at: start.advanced(by: .microseconds(1010 * number))))
        }
    }

    @Test func isOverWhenItStaysCalm() {
        var gauge = DenialGauge()
        for denied in [5000, DenialGauge.calm - 1, 0, DenialGauge.calm, 0, 0] { #expect(!gauge.isOver(denied: denied)) }
        #expect(gauge.isOver(denied: 0))
    }
}
