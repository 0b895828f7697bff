/// The table that `strace -c` writes.
struct StraceSummary: Equatable {
    /// How many calls of each name.
    private(set) var callsByName: [String: Int] = [:]

    var calls: Int { callsByName.values.reduce(0, +) }

    /// - Throws: where it is no such table.
    init(_ text: String) throws {
        let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
        guard lines.first?.contains("calls") == true else { throw Failure("strace counted nothing") }
        for fields in lines {
            // % time, seconds, usecs/call, calls, errors where there were some, name
            guard fields.count == 5 || fields.count == 6, Double(fields[0]) != nil, let calls = Int(fields[3]),
                let name = fields.last, name != "total"
            else { continue }
            callsByName[String(name), default: 0] += calls
        }
    }
}
