/// The limits of memory of the cgroups that this process is in, its own and those above it, as far as they can be seen
/// from here (Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst).
struct ControlGroups {
    /// The folder of the kernel's files: `/`, except in tests.
    var root = ""
    /// The contents of a file; nil where there is none.
    let contents: (_ path: String) -> String?

    /// Values from here on are the kernel's words for "no limit", or as good as that.
    private static let unlimited = 1 << 60

    /// Readings of each limit that is set.
    func readings() -> [MemoryReading] {
        var readings: [MemoryReading] = []
        for line in (contents("\(root)/proc/self/cgroup") ?? "").split(separator: "\n") {
            // Its hierarchy's number, the controllers with commas between them, the path.
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let path = String(fields[2])
            if fields[0] == "0", fields[1].isEmpty {
                // In a hybrid layout, version 2 has a folder of its own.
                for mount in ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"] {
                    for folder in folders(of: path, in: mount) { readings += version2(folder) }
                }
            } else if fields[1].split(separator: ",").contains("memory") {
                for folder in folders(of: path, in: "/sys/fs/cgroup/memory") { readings += version1(folder) }
            }
        }
        return readings
    }

    /// The folders of a cgroup and of those above it. One that can't be seen is left out: a container's own is at the
    /// top of what it sees, whatever its path is outside.
    private func folders(of path: String, in mount: String) -> [String] {
        var folders = [root + mount]
        for name in path.split(separator: "/") where name != ".." {
            folders.append("\(folders[folders.count - 1])/\(name)")
        }
        return folders.reversed()
    }

    private func version2(_ folder: String) -> [MemoryReading] {
        // Above memory.high nothing fails, but every allocation waits.
        let limits = ["memory.max", "memory.high"].compactMap { number(in: "\(folder)/\($0)") }
        guard let limit = limits.min(), let used = number(in: "\(folder)/memory.current") else { return [] }
        let parts = statistics("\(folder)/memory.stat")
        let files = (parts["active_file"] ?? 0) + (parts["inactive_file"] ?? 0)
        // What is mapped is a program in use: the kernel would take it away, and fetch it again, and again.
        let given = max(files - (parts["file_mapped"] ?? 0), 0) + (parts["slab_reclaimable"] ?? 0)
        return [MemoryReading(.cgroup, limit: limit, used: max(used - given, 0), includesSockets: true)]
    }

    private func version1(_ folder: String) -> [MemoryReading] {
        let parts = statistics("\(folder)/memory.stat")
        // The hierarchical one is the tightest of all above, those too that can't be seen from here.
        let limits = [number(in: "\(folder)/memory.limit_in_bytes"), parts["hierarchical_memory_limit"]]
        guard let limit = limits.compactMap({ $0 }).filter({ $0 < Self.unlimited }).min(),
            let used = number(in: "\(folder)/memory.usage_in_bytes")
        else { return [] }
        let files = (parts["total_active_file"] ?? 0) + (parts["total_inactive_file"] ?? 0)
        let given = max(files - (parts["total_mapped_file"] ?? 0), 0)
        return [MemoryReading(.cgroup, limit: limit, used: max(used - given, 0))]
    }

    /// The number that a file holds; nil where it says `max`, or as much.
    private func number(in path: String) -> Int? {
        guard let word = contents(path)?.split(whereSeparator: \.isWhitespace).first, let number = Int(word),
            0..<Self.unlimited ~= number
        else { return nil }
        return number
    }

    /// A file with a name and a number in each line.
    private func statistics(_ path: String) -> [Substring: Int] {
        var numbers: [Substring: Int] = [:]
        for line in (contents(path) ?? "").split(separator: "\n") {
            let fields = line.split(separator: " ")
            if fields.count == 2, let number = Int(fields[1]) { numbers[fields[0]] = number }
        }
        return numbers
    }
}
