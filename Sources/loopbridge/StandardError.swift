import EventLoop

/// Messages for a person before there is a log, or without one.
enum StandardError {
    /// Writes one line.
    static func write(_ line: String) {
        write(report: "\(line)\n")
    }

    /// Writes lines that end with a newline each.
    static func write(report: String) {
        try? Descriptor.write(Array(report.utf8), to: 2)
    }
}
