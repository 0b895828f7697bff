import EventLoop
import TestSupport
import Testing

@testable import Proxy

@Suite(.timeLimit(.minutes(1))) struct WorkerSurveyTests {
    /// Workers that answer when the test says so.
    private final class Office {
        let loop: EventLoop
        private(set) var survey: WorkerSurvey!
        /// What each has been asked and has not answered.
        var questions: [[MonotonicTime]] = [[], []]
        var results: [[WorkerSnapshot]] = []

        init(patience: Duration) throws {
            loop = try EventLoop()
            survey = try WorkerSurvey(of: 2, patience: patience, on: loop) { [unowned self] worker, posted in
                questions[worker].append(posted)
            }
        }

        func begin() {
            survey.begin { [unowned self] in results.append($0) }
        }

        /// Has a worker answer its first question.
        func answer(_ worker: Int, connections: Int) throws {
            let posted = try #require(questions[worker].first)
            questions[worker].removeFirst()
            survey.receive(
                WorkerSnapshot(
                    number: worker, posted: posted, loopLag: MonotonicTime.now.since(posted), connections: connections))
        }

        func waitForResult() throws -> [WorkerSnapshot] {
            let before = results.count
            let isThere = try loop.run(until: { [unowned self] in results.count > before })
            return try #require(isThere ? results[before] : nil)
        }
    }

    @Test func itIsCompleteWhenAllHaveAnswered() throws {
        let office = try Office(patience: .seconds(10))
        office.begin()
        try office.answer(1, connections: 7)
        #expect(office.results.isEmpty)
        try office.answer(0, connections: 5)
        #expect(office.results.map { $0.map(\.connections) } == [[5, 7]])
        #expect(office.results[0].map(\.number) == [0, 1])
    }

    @Test func severalMayBeUnderWay() throws {
        let office = try Office(patience: .seconds(10))
        office.begin()
        try office.answer(0, connections: 1)
        office.begin()
        try office.answer(1, connections: 1)
        #expect(office.results.count == 1)
        try office.answer(1, connections: 2)
        try office.answer(0, connections: 3)
        #expect(office.results.map { $0.map(\.connections) } == [[1, 1], [3, 2]])
    }

    @Test func aWorkerThatIsLateIsRepresentedByWhatItSaidLast() throws {
        let office = try Office(patience: .milliseconds(50))
        office.begin()
        try office.answer(0, connections: 1)
        try office.answer(1, connections: 2)
        let start = MonotonicTime.now
        office.begin()
        try office.answer(0, connections: 3)
        let result = try office.waitForResult()
        #expect(MonotonicTime.now.since(start) >= .milliseconds(50))
        #expect(result.map(\.connections) == [3, 2])
        // How long it has waited so far.
        #expect(result[1].loopLag >= .milliseconds(50) && result[0].loopLag < result[1].loopLag)
    }

    @Test func oneThatHasNeverAnsweredHasNothing() throws {
        let office = try Office(patience: .milliseconds(20))
        office.begin()
        try office.answer(0, connections: 1)
        let result = try office.waitForResult()
        #expect(result.map(\.connections) == [1, 0])
        #expect(result[1].routes.isEmpty && result[1].loopLag >= .milliseconds(20))
    }

    @Test func aWorkerThatIsLateIsNeitherAskedNorWaitedForAgainUntilItAnswers() throws {
        let office = try Office(patience: .milliseconds(50))
        office.begin()
        try office.answer(0, connections: 1)
        let first = try office.waitForResult()
        office.begin()
        #expect(office.questions[1].count == 1)
        try office.answer(0, connections: 2)
        let second = try #require(office.results.last)
        #expect(office.results.count == 2 && second.map(\.connections) == [2, 0])
        // It is the same question that it has not answered.
        #expect(second[1].loopLag >= first[1].loopLag)

        try office.answer(1, connections: 9)
        let asked = MonotonicTime.now
        office.begin()
        #expect(office.questions[1].count == 1)
        try office.answer(0, connections: 3)
        try office.answer(1, connections: 10)
        #expect(office.results.last?.map(\.connections) == [3, 10])
        #expect(try #require(office.results.last)[1].loopLag <= MonotonicTime.now.since(asked))
    }

    @Test func whereAllAreLateItIsCompleteInALaterTurn() throws {
        let office = try Office(patience: .milliseconds(20))
        office.begin()
        _ = try office.waitForResult()
        let start = MonotonicTime.now
        office.begin()
        #expect(office.results.count == 1)
        _ = try office.waitForResult()
        #expect(MonotonicTime.now.since(start) < .seconds(5))
        #expect(office.questions.map(\.count) == [1, 1])
    }
}
