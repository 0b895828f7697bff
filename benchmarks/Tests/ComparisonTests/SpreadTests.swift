import Testing

@testable import Comparison

@Suite struct SpreadTests {
    @Test func takesTheMiddleOfAnOddNumber() {
        let spread = Spread([9, 1, 4])
        #expect(spread.median == 4)
        #expect(spread.least == 1)
        #expect(spread.most == 9)
        #expect(spread.count == 3)
    }

    @Test func takesTheMeanOfTheTwoInTheMiddle() {
        #expect(Spread([10, 2, 4, 100]).median == 7)
    }

    @Test func oneValueIsAllThereIs() {
        let spread = Spread([5])
        #expect(spread.median == 5 && spread.least == 5 && spread.most == 5)
    }
}
