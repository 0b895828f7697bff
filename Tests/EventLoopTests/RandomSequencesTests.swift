import TestSupport
import Testing

@Suite("Random sequences of events") struct RandomSequencesTests {
    @Test("a sequence that fails is shrunk to the events that it takes") func shrinks() throws {
        let failed = #expect(throws: FailedSequence.self) {
            try checkRandomSequences(
                count: 1000, seed: 1,
                generate: { random in (0..<40).map { _ in Int.random(in: 0..<50, using: &random) } },
                run: { events in
                    let seven = events.firstIndex(of: 7)
                    let later = seven.map { events[$0...].contains(9) } ?? false
                    return later ? "a 9 comes after a 7" : nil
                })
        }
        #expect(failed?.events == ["7", "9"])
        #expect(failed?.generatedCount == 40)
    }

    @Test("a seed makes the same sequences again") func repeats() throws {
        var made: [[[UInt64]]] = []
        for _ in 0..<2 {
            var sequences: [[UInt64]] = []
            try checkRandomSequences(
                count: 10, seed: 42, generate: { random in (0..<5).map { _ in random.next() } },
                run: { events in
                    sequences.append(events)
                    return nil
                })
            made.append(sequences)
        }
        #expect(made[0] == made[1])
        #expect(Set(made[0]).count == 10)
    }
}
