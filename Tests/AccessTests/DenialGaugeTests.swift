import EventLoop
import Testing

@testable import Access

/// The number of denied clients that is a flood, and the end of one.
@Suite struct DenialGaugeTests {
    private let start = MonotonicTime.now

    @Test func aThousandInASecondAreAFlood() {
        var gauge = DenialGauge()
        let isFlood = (1...DenialGauge.flood).map { gauge.note(at: start.advanced(by: .microseconds(900 * $0))) }
        #expect(isFlood.dropLast().allSatisfy { !$0 } && isFlood.last == true)
        // From then on they are counted anew.
        let isAgain = gauge.note(at: start.advanced(by: .milliseconds(901)))
        #expect(!isAgain)
    }

    @Test func fewerAreNone() {
        var gauge = DenialGauge()
        let isFlood = (0..<(DenialGauge.flood * 5)).map { gauge.note(at: start.advanced(by: .microseconds(1010 * $0))) }
        #expect(!isFlood.contains(true))
    }

    @Test func isOverWhenItStaysCalm() {
        var gauge = DenialGauge()
        let isOver = [5000, DenialGauge.calm - 1, 0, DenialGauge.calm, 0, 0, 0].map { gauge.isOver(denied: $0) }
        #expect(isOver == [false, false, false, false, false, false, true])
    }
}
