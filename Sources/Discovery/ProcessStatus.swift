internal import EventLoop

/// What /proc/PID/stat says of a process (proc(5)).
struct ProcessStatus: Equatable {
    let parent: Int
    /// Where its program and its stack begin, which changes when it executes another program; 0 where that is hidden.
    let image: [UInt64]

    /// Nil where the process is gone or may not be seen.
    init?(of id: Int) {
        // The name stands in parentheses and may hold anything, parentheses too: the last one ends it.
        guard let text = Descriptor.contents(of: "/proc/\(id)/stat"), let end = text.lastIndex(of: ")") else {
            return nil
        }
        // From the third field on.
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 25, let parent = Int(fields[1]) else { return nil }
        self.parent = parent
        image = [fields[23], fields[25]].map { UInt64($0) ?? 0 }
    }
}
