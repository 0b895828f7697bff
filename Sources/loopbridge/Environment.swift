import EventLoop

/// The environment that the program was started with.
enum Environment {
    /// Names and values; of a name that stands twice the first counts, as for getenv(3).
    static var variables: [String: String] {
        let entries = (Descriptor.contents(of: "/proc/self/environ") ?? "").split(separator: "\0")
        let pairs = entries.compactMap { entry -> (String, String)? in
            guard let separator = entry.firstIndex(of: "=") else { return nil }
            return (String(entry[..<separator]), String(entry[entry.index(after: separator)...]))
        }
        return Dictionary(pairs) { first, _ in first }
    }
}

/// What is said to a person before there is a log, or without one.
enum StandardError {
    /// Writes one line.
    static func write(_ line: String) {
        try? Descriptor(duplicating: 2).write(Array("\(line)\n".utf8))
    }
}
