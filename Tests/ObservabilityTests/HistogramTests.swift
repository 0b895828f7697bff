import EventLoop
import Testing

@testable import Observability

@Suite struct HistogramTests {
    /// A scale that fits on a page.
    private enum Tens: HistogramScale {
        static let bounds: [UInt64] = [10, 20, 30]
        static let unitsPerMetric = 1.0
        static func bucket(of value: UInt64) -> Int { value == 0 ? 0 : Int(min((value - 1) / 10, 3)) }
    }

    private func histogram(_ values: UInt64...) -> Histogram<Tens> {
        var histogram = Histogram<Tens>()
        for value in values { histogram.count(value) }
        return histogram
    }

    private func counts(_ histogram: Histogram<some HistogramScale>, _ length: Int) -> [UInt64] {
        (0..<length).map { histogram.counts[$0] }
    }

    @Test func aBoundBelongsToTheBucketBelowIt() {
        #expect(counts(histogram(0, 10, 11, 20, 21, 30, 31, .max - 123), 5) == [2, 2, 2, 2, 0])
    }

    @Test func everyBoundOfTheScalesIsTheLastOfItsBucket() {
        func check<Scale: HistogramScale>(_: Scale.Type) {
            #expect(Scale.bounds == Scale.bounds.sorted())
            #expect(Set(Scale.bounds).count == Scale.bounds.count)
            // One more bucket is for what is above them all.
            #expect(Scale.bounds.count < 32)
            for (index, bound) in Scale.bounds.enumerated() {
                #expect(Scale.bucket(of: bound) == index)
                #expect(Scale.bucket(of: bound + 1) == index + 1)
            }
            #expect(Scale.bucket(of: 0) == 0)
            #expect(Scale.bucket(of: .max) == Scale.bounds.count)
        }
        check(DurationScale.self)
        check(SizeScale.self)
    }

    @Test func durationsGrowByAQuarterToTwoThirdsFromBoundToBound() {
        #expect(DurationScale.bounds.first == 100_000 && DurationScale.bounds.last == 100_000_000_000)
        for (lower, upper) in zip(DurationScale.bounds, DurationScale.bounds.dropFirst()) {
            #expect((1.55...1.65).contains(Double(upper) / Double(lower)))
        }
    }

    @Test func sizesGrowByAFactorOfFour() {
        #expect(SizeScale.bounds.first == 64 && SizeScale.bounds.last == 4 << 30)
        for (lower, upper) in zip(SizeScale.bounds, SizeScale.bounds.dropFirst()) { #expect(upper == lower * 4) }
    }

    @Test func sumAndTotalAreThoseOfTheValues() {
        let histogram = histogram(1, 2, 30, 400)
        #expect(histogram.total == 4)
        #expect(histogram.sum == 433)
        #expect(Histogram<Tens>().total == 0)
    }

    @Test func addingIsCountingBoth() {
        var sum = histogram(1, 15)
        sum.add(histogram(16, 31, 31))
        #expect(counts(sum, 4) == [1, 2, 0, 2])
        #expect(sum.sum == 94)
    }

    @Test func aDifferenceIsWhatWasCountedMeanwhile() {
        let earlier = histogram(1, 15)
        var later = earlier
        later.count(25)
        later.count(16)
        let difference = later.since(earlier)
        #expect(counts(difference, 4) == [0, 1, 1, 0])
        #expect(difference.sum == 41)
        #expect(later.since(later).total == 0)
    }

    /// As when the program was started anew between two looks.
    @Test func aDifferenceToWhatIsMoreIsNothing() {
        let difference = histogram(1).since(histogram(1, 2, 15))
        #expect(difference.total == 0)
        #expect(difference.sum == 0)
    }

    // MARK: Quantiles

    @Test func nothingHasNoQuantiles() {
        #expect(histogram().quantile(0.5) == nil)
    }

    @Test func aQuantileLiesBetweenTheBoundsOfItsBucket() throws {
        // Half of ten values lie in the first bucket, taken to be spread evenly in it.
        let histogram = histogram(1, 2, 3, 4, 5, 11, 12, 13, 14, 15)
        #expect(histogram.quantile(0.25) == 5)
        #expect(histogram.quantile(0.5) == 10)
        #expect(histogram.quantile(0.75) == 15)
        #expect(histogram.quantile(1) == 20)
        #expect(histogram.quantile(0) == 0)
    }

    @Test func emptyBucketsAreSkipped() {
        #expect(histogram(25, 25).quantile(0.5) == 25)
        #expect(histogram(25, 25).quantile(0) == 20)
        #expect(histogram(5, 25).quantile(0.5) == 10)
    }

    @Test func whatIsAboveAllBoundsCountsAsTheLastBound() {
        #expect(histogram(31, 5000).quantile(0.5) == 30)
        #expect(histogram(5, 5000).quantile(0.99) == 30)
    }

    @Test func aPercentileOfDurationsIsAtMostAQuarterOff() throws {
        // From 1 to 2 ms in steps of a microsecond.
        var histogram = Histogram<DurationScale>()
        for value in 1000...2000 { histogram.count(UInt64(value) * 1000) }
        for share in [0.1, 0.5, 0.9, 0.99] {
            let quantile = try #require(histogram.quantile(share))
            let truth = 1_000_000 + share * 1_000_000
            #expect(abs(quantile - truth) / truth < 0.25)
        }
    }

    // MARK: Durations

    @Test func theTimeBetweenTwoMomentsIsCounted() {
        let start = MonotonicTime.now
        var histogram = Histogram<DurationScale>()
        histogram.count(from: start, to: start.advanced(by: .milliseconds(7)))
        // The coarse clock is behind the precise one.
        histogram.count(from: start, to: start.advanced(by: .milliseconds(-7)))
        #expect(histogram.sum == 7_000_000)
        #expect(histogram.total == 2 && histogram.counts[0] == 1)
    }
}
