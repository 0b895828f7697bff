/// Writes whole lines to where writing can fail, and says which were lost.
struct LineOutput {
    /// Lines that were not written.
    struct Lost: Equatable {
        /// The number of lines dropped since the last look.
        var now: UInt64 = 0
        /// The number of dropped lines that the log has not reported yet, including those that the caller dropped.
        var untold: UInt64 = 0
    }

    private static let newline = UInt8(ascii: "\n")

    /// Whether a failure has left the destination in the middle of a line.
    private var isMidLine = false

    /// Writes lines, and then how many were dropped that came after them.
    /// - Parameters:
    ///   - lines: each with its newline.
    ///   - notice: the line about those that were dropped, without its newline; nil where there should be none.
    ///   - write: writes bytes, and says how many; fewer where it has failed.
    mutating func write(
        _ lines: [UInt8], dropped: UInt64, notice: (UInt64) -> String?, using write: ([UInt8]) -> Int
    ) -> Lost {
        guard !lines.isEmpty || dropped > 0 else { return Lost() }
        let countLines = { (bytes: ArraySlice<UInt8>) in UInt64(bytes.count { $0 == Self.newline }) }
        // The next line must not look like the rest of this one.
        if isMidLine {
            guard write([Self.newline]) == 1 else {
                let lost = countLines(lines[...])
                return Lost(now: lost, untold: lost + dropped)
            }
            isMidLine = false
        }
        let written = write(lines)
        guard written == lines.count else {
            isMidLine = written > 0 && lines[written - 1] != Self.newline
            let lost = countLines(lines[written...])
            return Lost(now: lost, untold: lost + dropped)
        }
        guard dropped > 0, let text = notice(dropped) else { return Lost() }
        let bytes = Array("\(text)\n".utf8)
        let count = write(bytes)
        guard count == bytes.count else {
            isMidLine = count > 0
            return Lost(untold: dropped)
        }
        return Lost()
    }
}
