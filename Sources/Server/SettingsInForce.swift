internal import Configuration
internal import EventLoop

/// The settings of the program as a whole that hold now, for whoever needs them on another thread than the control thread.
final class SettingsInForce: Sendable {
    private let guarded: Guarded<ProgramSettings>

    init(_ settings: ProgramSettings) {
        guarded = Guarded(settings)
    }

    /// Callable on every thread; the control thread sets it.
    var current: ProgramSettings {
        get { guarded.withLock { $0 } }
        set { guarded.withLock { $0 = newValue } }
    }
}
