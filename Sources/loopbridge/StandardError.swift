import EventLoop

/// What is said to a person before there is a log, or without one.
enum StandardError {
    /// Writes one line.
    static func write(_ line: String) {
        try? Descriptor(duplicating: 2).write(Array("\(line)\n".utf8))
    }
}
