public import EventLoop

extension EventLoop {
    /// Runs the loop until the condition holds, but no longer than the limit.
    /// - Returns: whether the condition holds.
    public func run(until condition: @escaping () -> Bool, atMost limit: Duration = .seconds(20)) throws -> Bool {
        let start = MonotonicTime.now
        var again: (() -> Void)?
        let look = try Timer(on: self) { again?() }
        again = { [unowned self, unowned look] in
            if condition() || MonotonicTime.now.since(start) > limit {
                stop()
            } else {
                look.schedule(after: .milliseconds(1))
            }
        }
        look.schedule(after: .zero)
        run()
        again = nil
        return condition()
    }
}
