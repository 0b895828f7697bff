/// Carries a value that has one owner through a mailbox: whoever takes it first owns it.
public final class Handoff<Value: ~Copyable & Sendable>: Sendable {
    private let value: Guarded<Value?>

    /// Packs the value; if nobody takes it, it ends with the handoff.
    public init(_ value: consuming sending Value) {
        self.value = Guarded(value)
    }

    /// The value, for the first caller; nil from then on.
    public func take() -> sending Value? {
        value.withLock { value in value.take() }
    }
}
