internal import EventLoop

/// Settings, each of which has a default.
public protocol Settings: Sendable, Equatable {
    /// All defaults.
    init()
}

extension Settings {
    /// The defaults, but for what `change` sets: `PoolSettings { $0.spare = 8 }`.
    public init(_ change: (inout Self) -> Void) {
        self.init()
        change(&self)
    }
}

/// Tags a property of a ``KeyedMapping`` with its key, so that property, default and key are one definition.
///
/// ```swift
/// @Setting(
///     .scalar(
///         "hold", .duration(), \Self.hold, option: "hold",
///         help: "The longest time that a client waits for an app that is not listening yet; 0s refuses at once.",
///         example: "30s"))
/// public var hold: Duration = .seconds(10)
/// ```
/// The key says how the file, the environment and the command line name the property, which values it may have, and
/// what the documentation says of it. ``KeyedMapping/taggedKeys()`` lists the keys in the order of the properties.
/// Only the value is stored. The property's type must be written down, since the key path depends on it.
@propertyWrapper
public struct Setting<Value: Sendable & Equatable>: Sendable, Equatable {
    public var wrappedValue: Value

    init<Target: KeyedMapping>(
        wrappedValue: Value, _ key: @autoclosure @escaping @Sendable () -> Key<Target>
    ) {
        self.wrappedValue = wrappedValue
        TaggedKeys.note(key)
    }
}

extension KeyedMapping {
    /// The keys that the properties are tagged with, in their order. To be called once for each type, by its ``keys``.
    static func taggedKeys() -> [Key<Self>] {
        TaggedKeys.collect { _ = Self() }
    }
}

/// Finds out which keys a type's properties are tagged with: it makes a value of the type and listens to the tags, each
/// of which tells its key when its property gets its default.
private enum TaggedKeys {
    /// The keys heard so far, by the type that is being looked at; empty nearly always.
    private static let heard = Guarded<[ObjectIdentifier: [any Sendable]]>([:])

    /// Whoever makes such a value on another thread meanwhile tells the same keys in the same order: a name that was
    /// heard already adds nothing.
    static func note<Target: KeyedMapping>(_ key: @escaping @Sendable () -> Key<Target>) {
        heard.withLock { $0[ObjectIdentifier(Target.self)]?.append(key) }
    }

    static func collect<Target: KeyedMapping>(_ makeValue: () -> Void) -> [Key<Target>] {
        let type = ObjectIdentifier(Target.self)
        heard.withLock { $0[type] = [] }
        makeValue()
        let tags = heard.withLock { $0.removeValue(forKey: type) } ?? []
        // Only now, outside of the lock: a key reads its default from another value of the type.
        var names: Set<String> = []
        return tags.compactMap { $0 as? @Sendable () -> Key<Target> }.map { $0() }
            .filter { names.insert($0.name).inserted }
    }
}
