/// A line of the log as the status page shows it.
public struct LogMessage: Sendable {
    public var time: Timestamp
    public var level: LogLevel
    /// The sentence, with its fields behind it as the text format has them.
    public var text: String
    /// How often it was said; more than once where repeats were left out.
    public var count: Int

    public init(time: Timestamp, level: LogLevel, text: String, count: Int = 1) {
        self.time = time
        self.level = level
        self.text = text
        self.count = count
    }
}
