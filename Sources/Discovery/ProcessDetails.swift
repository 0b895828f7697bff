internal import EventLoop

/// The facts about a process by which it is recognised (proc(5)); empty where this user may not see them.
struct ProcessDetails: Sendable {
    let id: Int
    let name: String
    let parent: Int?
    let command: CommandLine
    let environment: [String: String]

    var arguments: [String] { command.arguments }

    init(id: Int, name: String = "?", parent: Int? = nil, command: CommandLine, environment: [String: String] = [:]) {
        self.id = id
        self.name = name
        self.parent = parent
        self.command = command
        self.environment = environment
    }

    init(of id: Int) {
        let folder = "/proc/\(id)"
        let pairs = Self.strings("\(folder)/environ").compactMap { entry -> (String, String)? in
            guard let separator = entry.firstIndex(of: "=") else { return nil }
            return (String(entry[..<separator]), String(entry[entry.index(after: separator)...]))
        }
        self.init(
            id: id, name: ProcessDescription(of: id).name, parent: ProcessStatus(of: id)?.parent,
            command: CommandLine(
                Self.strings("\(folder)/cmdline"), executable: ProcFileSystem.target(ofLink: "\(folder)/exe")),
            environment: Dictionary(pairs) { first, _ in first })
    }

    /// Returns the processes whose descriptors this user may not see, so that any socket may be theirs. Everybody sees their
    /// command lines.
    static func withHiddenDescriptors() -> [ProcessDetails] {
        ProcFileSystem.names(in: "/proc").compactMap { Int($0) }
            .filter { id in
                // Root without CAP_SYS_PTRACE sees the numbers of others' descriptors, and not their targets.
                guard let first = ProcFileSystem.names(in: "/proc/\(id)/fd").first else { return true }
                return ProcFileSystem.target(ofLink: "/proc/\(id)/fd/\(first)") == nil
            }
            .map { ProcessDetails(of: $0) }.filter { !$0.arguments.isEmpty }
    }

    private static func strings(_ path: String) -> [String] {
        (Descriptor.contents(of: path) ?? "").split(separator: "\0", omittingEmptySubsequences: false)
            .map(String.init).dropLast(while: \.isEmpty)
    }

    private static let largestFile = 64 << 10

    /// Reads a small text file by the path that the process would open it by.
    func contents(ofFile path: String) -> String? {
        let path = path.hasPrefix("/") ? "/proc/\(id)/root\(path)" : "/proc/\(id)/cwd/\(path)"
        guard let file = try? Descriptor(readingRegularFile: path),
            let bytes = try? file.readToEnd(limit: Self.largestFile)
        else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The position of the event loop that watches a socket among those of its process.
    enum Loop {
        /// One of the first two that the process has opened. Node.js opens its timer thread's and then its main thread's.
        case early
        /// One that the process has opened later, as those of Node's inspector and workers are.
        case later
    }

    /// Finds the event loop that watches a socket.
    /// - Returns: nil where none does, or where that cannot be seen.
    func loop(ofSocketWith inode: UInt64) -> Loop? {
        let loops = ProcFileSystem.names(in: "/proc/\(id)/fd").compactMap { Int($0) }.sorted().filter {
            ProcFileSystem.target(ofLink: "/proc/\(id)/fd/\($0)") == "anon_inode:[eventpoll]"
        }
        let mark = "ino:\(String(inode, radix: 16)) "
        let position = loops.firstIndex { loop in
            (Descriptor.contents(of: "/proc/\(id)/fdinfo/\(loop)") ?? "").contains(mark)
        }
        return position.map { $0 < 2 ? .early : .later }
    }
}

extension [String] {
    fileprivate func dropLast(while condition: (String) -> Bool) -> [String] {
        var rest = self
        while let last = rest.last, condition(last) { rest.removeLast() }
        return rest
    }
}
