import Network
import Testing

/// Every order in which things can happen to a stream, against one rule: what is there will be read.
@Suite struct ReadinessModelTests {
    /// What a search through all states has found.
    struct Outcome {
        var states = 0
        var transitions: Set<ReadinessModel.Transition> = []
        /// What had happened when something was forgotten, or when a read changed nothing.
        var counterexample: [String]?
    }

    static let worlds: [World] =
        [
            World(layered: true, records: 2, waits: .waiting(isInLine: false)),
            World(layered: true, records: 1, waits: .waiting(isInLine: true)),
            World(layered: true, records: 1, waits: .silent),
            World(layered: true, records: 1, header: true, waits: .waiting(isInLine: false)),
            World(layered: true, records: 1, header: true, waits: .silent),
            World(layered: false, records: 3, waits: .waiting(isInLine: true)),
            World(layered: false, records: 3, waits: .silent),
            World(layered: false, records: 2, header: true, waits: .waiting(isInLine: false)),
            World(layered: false, records: 2, header: true, waits: .silent),
            World(layered: true, records: 2, waits: .waiting(isInLine: false), apps: true),
            World(layered: false, records: 3, waits: .waiting(isInLine: false), apps: true),
        ]
        + (0...5).flatMap { mark in
            [true, false].map {
                World(layered: false, records: 3, waits: .waiting(isInLine: false), mark: mark, apps: $0)
            }
        }

    /// Visits every state that the world can come to.
    private func search(_ beginnings: [World], _ fault: ReadinessModel.Fault? = nil) -> Outcome {
        let model = ReadinessModel(fault)
        var outcome = Outcome()
        for beginning in beginnings {
            // Where each state was first come from, and by what.
            var ways: [World: (World, String)?] = [beginning: nil]
            var queue = [beginning]
            var index = 0
            while index < queue.count {
                let world = queue[index]
                index += 1
                for (what, next) in model.successors(of: world) where ways[next] == nil {
                    ways[next] = (world, what)
                    queue.append(next)
                    guard next.isForgotten else { continue }
                    outcome.counterexample = way(to: next, ways)
                    return outcome
                }
            }
            outcome.states += queue.count
        }
        outcome.transitions = model.transitions
        return outcome
    }

    private func way(to world: World, _ ways: [World: (World, String)?]) -> [String] {
        var steps: [String] = []
        var current = world
        while case .some(.some((let before, let what))) = ways[current] {
            steps.append(what)
            current = before
        }
        return steps.reversed()
    }

    @Test func whateverHappensWhatIsThereWillBeRead() {
        let outcome = search(Self.worlds)
        #expect(outcome.counterexample == nil)
        print("states of a layered socket and its reader: \(outcome.states)")
        #expect(outcome.states > 10_000)
        // All that can happen to the machine has happened to it: what is not here is not possible.
        let possible = LayerReadiness.State.allCases.flatMap { state in
            LayerReadiness.Event.allCases.map { ReadinessModel.Transition(state: state, event: $0) }
        }.filter { Self.isPossible($0) }
        #expect(outcome.transitions == Set(possible))
    }

    /// Behind its end, nothing is asked of the kernel; and while the layer has kept something, nothing but a look is.
    private static func isPossible(_ transition: ReadinessModel.Transition) -> Bool {
        switch (transition.state, transition.event) {
        case (.ended, .receivedAll), (.ended, .receivedLess), (.ended, .kept), (.ended, .keptNothing): false
        default: true
        }
    }

    /// The search finds what is wrong, also what was wrong once: the first.
    @Test(arguments: ReadinessModel.Fault.allCases)
    func whatIsForgottenIsFound(_ fault: ReadinessModel.Fault) throws {
        let counterexample = try #require(search(Self.worlds, fault).counterexample)
        print("\(fault): \(counterexample.joined(separator: ", "))")
    }
}
