import EventLoop
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Access

@Suite(.timeLimit(.minutes(1))) struct ConnectionBudgetTests {
    /// Notes the workers that are told that there is room.
    private final class Notes: Sendable {
        private let told = Guarded<[Int]>([])

        func tell(_ worker: Int) { told.withLock { $0.append(worker) } }

        /// Returns the workers that were told since the last call, in ascending order.
        func take() -> [Int] {
            told.withLock { told in
                defer { told = [] }
                return told.sorted()
            }
        }
    }

    @Test(arguments: [1, 2, 100])
    func thereAreAsManyPlacesAsTheLimitSays(limit: Int) {
        let notes = Notes()
        let budget = ConnectionBudget(limit: limit) { notes.tell($0) }
        for _ in 0..<3 {
            for _ in 0..<limit { #expect(budget.take(for: 0) == .granted) }
            #expect(budget.take(for: 0) != .granted)
            for _ in 0..<limit { budget.giveBack() }
            #expect(notes.take() == [0])
        }
    }

    @Test func aRefusalIsNewsOncePerInterval() throws {
        let interval = Duration.milliseconds(300)
        let budget = ConnectionBudget(limit: 1, newsInterval: interval) { _ in }
        #expect(budget.take(for: 0) == .granted)
        let start = MonotonicTime.now
        #expect(budget.take(for: 0) == .full(isNews: true))
        // A crowd that is let in one by one: there is room in between, and still it is the same news.
        for worker in [0, 1, 2] {
            let answer = budget.take(for: worker)
            budget.giveBack()
            #expect(budget.take(for: 0) == .granted)
            if MonotonicTime.now.since(start) < interval { #expect(answer == .full(isNews: false)) }
        }
        let loop = try EventLoop()
        var isNewsAgain = false
        let look = {
            isNewsAgain = isNewsAgain || budget.take(for: 0) == .full(isNews: true)
            return isNewsAgain
        }
        #expect(try loop.run(until: look))
        // The clock that the budget reads is late by up to 10 ms.
        #expect(MonotonicTime.now.since(start) > interval - .milliseconds(20))
    }

    @Test func everybodyWhoWasRefusedIsToldOnce() {
        let notes = Notes()
        let budget = ConnectionBudget(limit: 2) { notes.tell($0) }
        #expect(budget.take(for: 0) == .granted)
        #expect(budget.take(for: 0) == .granted)
        for worker in [3, 1, 2, 1, 3] { #expect(budget.take(for: worker) != .granted) }
        #expect(notes.take() == [])
        budget.giveBack()
        #expect(notes.take() == [1, 2, 3])
        budget.giveBack()
        #expect(notes.take() == [])
    }

    @Test func theLimitCanBeRaised() {
        let notes = Notes()
        let budget = ConnectionBudget(limit: 1) { notes.tell($0) }
        #expect(budget.take(for: 0) == .granted)
        #expect(budget.take(for: 1) != .granted)
        budget.limit = 3
        #expect(budget.limit == 3)
        #expect(notes.take() == [1])
        for _ in 0..<2 { #expect(budget.take(for: 1) == .granted) }
        #expect(budget.take(for: 1) != .granted)
    }

    @Test func whoIsThereStaysWhenTheLimitIsLowered() {
        let notes = Notes()
        let budget = ConnectionBudget(limit: 3) { notes.tell($0) }
        for _ in 0..<3 { #expect(budget.take(for: 0) == .granted) }
        budget.limit = 1
        #expect(budget.take(for: 1) != .granted)
        // Nobody is told before there is room under the new limit.
        budget.giveBack()
        budget.giveBack()
        #expect(notes.take() == [])
        #expect(budget.take(for: 2) != .granted)
        budget.giveBack()
        #expect(notes.take() == [1, 2])
        #expect(budget.take(for: 1) == .granted)
    }

    @Test func whoeverIsToldMayTakeAtOnce() {
        let answers = Guarded<[ConnectionBudget.Answer]>([])
        let budget = Guarded<ConnectionBudget?>(nil)
        let made = ConnectionBudget(limit: 1) { worker in
            guard let answer = budget.withLock({ $0 })?.take(for: worker) else { return }
            answers.withLock { $0.append(answer) }
        }
        budget.withLock { $0 = made }
        #expect(made.take(for: 0) == .granted)
        #expect(made.take(for: 1) == .full(isNews: true))
        made.giveBack()
        #expect(answers.withLock { $0 } == [.granted])
        #expect(made.take(for: 2) == .full(isNews: false))
        budget.withLock { $0 = nil }
    }

    /// Each worker takes a permit and gives it back, a thousand times; when it is refused, it sleeps until it is told.
    @Test(arguments: [1, 3])
    func noLimitIsExceededAndNobodySleepsForever(limit: Int) throws {
        let workers = 6
        let rounds = 1000
        let mailboxes = try (0..<workers).map { _ in try Mailbox<Void>() }
        let budget = ConnectionBudget(limit: limit) { mailboxes[$0].post(()) }
        let used = Atomic(0)
        let most = Atomic(0)
        let finished = Atomic(0)
        for worker in 0..<workers {
            try Thread.start(named: "worker-\(worker)") {
                guard let loop = try? EventLoop() else { return }
                var left = rounds
                func work() {
                    while left > 0, case .granted = budget.take(for: worker) {
                        let now = used.add(1, ordering: .sequentiallyConsistent).newValue
                        most.max(now, ordering: .sequentiallyConsistent)
                        // Held for longer every now and then, so that the others are refused.
                        if left % 16 == 0 { sched_yield() }
                        used.subtract(1, ordering: .sequentiallyConsistent)
                        left -= 1
                        budget.giveBack()
                    }
                    if left == 0 { loop.stop() }
                }
                guard let event = try? mailboxes[worker].open(on: loop, handler: work) else { return }
                loop.onNextTurn(work)
                loop.run()
                withExtendedLifetime(event) {}
                finished.add(1, ordering: .sequentiallyConsistent)
            }
        }
        let loop = try EventLoop()
        #expect(
            try loop.run(until: { finished.load(ordering: .sequentiallyConsistent) == workers }, atMost: .seconds(20)))
        #expect(most.load(ordering: .sequentiallyConsistent) <= limit)
        #expect(used.load(ordering: .sequentiallyConsistent) == 0)
        // Every permit has been given back.
        for _ in 0..<limit { #expect(budget.take(for: 0) == .granted) }
        #expect(budget.take(for: 0) != .granted)
    }
}

extension ConnectionBudget.Answer: Equatable {
    static func == (left: Self, right: Self) -> Bool {
        switch (left, right) {
        case (.granted, .granted): true
        case (.full(let left), .full(let right)): left == right
        default: false
        }
    }
}
