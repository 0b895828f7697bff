internal import EventLoop
internal import Glibc

/// Random numbers that are the same for the same seed (SplitMix64).
public struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// Whether something happens that has this chance: `chance(1, in: 10)`.
    public mutating func chance(_ part: Int, in whole: Int) -> Bool {
        Int.random(in: 0..<whole, using: &self) < part
    }

    /// One of a list that is not empty.
    public mutating func one<Element>(of list: [Element]) -> Element { list.randomElement(using: &self)! }
}

/// A sequence of events after which something was wrong, as short as could be made of it.
public struct FailedSequence: Error, CustomStringConvertible {
    /// Makes the whole sequence again.
    public let seed: UInt64
    /// What was wrong after the shrunk sequence.
    public let fault: String
    /// What is left of the sequence, an event a line.
    public let events: [String]
    /// How many events there were before.
    public let generatedCount: Int

    public var description: String {
        """
        \(fault)
        after \(events.count) of \(generatedCount) events (LOOPBRIDGE_SEED=\(seed) makes all of them again):
        \(events.map { "    \($0)" }.joined(separator: "\n"))
        """
    }
}

/// Runs random sequences of events against a specification, and makes a sequence that fails as short as it can: events are
/// left out as long as it fails without them.
///
/// ```swift
/// try checkRandomSequences(count: 1000, generate: { random in
///     (0..<20).map { _ in random.chance(1, in: 3) ? .push(Int.random(in: 0..<9, using: &random)) : .pop }
/// }, run: { events in
///     var (stack, model) = (Stack(), [Int]())
///     …
///     return stack.count == model.count ? nil : "the stack has \(stack.count) elements, not \(model.count)"
/// })
/// ```
///
/// The seed is printed before the first sequence. `LOOPBRIDGE_SEED` sets it, so that a sequence is made again, and
/// `LOOPBRIDGE_SEQUENCES` sets how many there are, for a longer search.
/// - Parameters:
///   - count: how many sequences.
///   - seed: of the first sequence, the next one has the next number; with one the environment is not asked, and nil stands
///     for another one each time.
///   - generate: makes a sequence of a random source, and of nothing else.
///   - run: says what is wrong after these events, nil for nothing; what it throws is wrong, too. It is called anew with
///     fewer events while a sequence is shrunk, so an event that makes no sense without another one must do nothing.
/// - Throws: the first sequence that fails, as ``FailedSequence``.
public func checkRandomSequences<Event>(
    count: Int, seed: UInt64? = nil, generate: (inout SeededGenerator) -> [Event], run: ([Event]) throws -> String?
) throws(FailedSequence) {
    let first = seed ?? number("LOOPBRIDGE_SEED") ?? UInt64.random(in: 0..<1 << 32)
    let count = seed == nil ? number("LOOPBRIDGE_SEQUENCES").map { Int($0) } ?? count : count
    print("random sequences: \(count) from LOOPBRIDGE_SEED=\(first) on")
    for index in 0..<count {
        let seed = first &+ UInt64(index)
        var random = SeededGenerator(seed: seed)
        let events = generate(&random)
        guard let fault = whatIsWrong(after: events, run) else { continue }
        let (shrunk, last) = shrink(events, fault, run)
        throw FailedSequence(
            seed: seed, fault: last, events: shrunk.map { String(describing: $0) }, generatedCount: events.count)
    }
}

private func number(_ variable: String) -> UInt64? {
    getenv(variable).flatMap { UInt64(String(cString: $0)) }
}

private func whatIsWrong<Event>(after events: [Event], _ run: ([Event]) throws -> String?) -> String? {
    do { return try run(events) } catch { return "\(error)" }
}

/// For how long a sequence is shrunk at most.
private let shrinkingTime = Duration.seconds(30)

/// Leaves out ever smaller parts, until no single event can go.
private func shrink<Event>(
    _ events: [Event], _ fault: String, _ run: ([Event]) throws -> String?
) -> ([Event], String) {
    let start = MonotonicTime.now
    var (events, lastFault) = (events, fault)
    var size = max(events.count / 2, 1)
    while true {
        var hasShrunk = false
        var position = 0
        while position < events.count, MonotonicTime.now.since(start) < shrinkingTime {
            var fewer = events
            fewer.removeSubrange(position..<min(position + size, events.count))
            if let found = whatIsWrong(after: fewer, run) {
                (events, lastFault, hasShrunk) = (fewer, found, true)
            } else {
                position += size
            }
        }
        if MonotonicTime.now.since(start) >= shrinkingTime { break }
        if size > 1 { size /= 2 } else if !hasShrunk { break }
    }
    return (events, lastFault)
}
