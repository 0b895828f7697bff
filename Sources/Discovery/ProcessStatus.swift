internal import EventLoop

/// The fields of /proc/PID/stat that discovery needs (proc(5)).
struct ProcessStatus: Equatable {
    let parent: Int
    /// The addresses at which its program and its stack begin, which change when it executes another program; 0 where they
    /// are hidden.
    let image: [UInt64]

    /// - Returns: nil where the process has gone or may not be seen.
    init?(of id: Int) {
        // The name stands in parentheses and may hold anything, parentheses too: the last one ends it.
        guard let text = Descriptor.contents(of: "/proc/\(id)/stat"), let end = text.lastIndex(of: ")") else {
            return nil
        }
        // The fields from the third one on.
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 25, let parent = Int(fields[1]) else { return nil }
        self.parent = parent
        image = [fields[23], fields[25]].map { UInt64($0) ?? 0 }
    }
}
