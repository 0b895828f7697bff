internal import EventLoop

/// A process's name and id, for people.
public struct ProcessDescription: Hashable, Sendable, CustomStringConvertible {
    public let id: Int
    /// The command's name, at most 15 bytes (/proc/PID/comm).
    public let name: String

    init(id: Int, name: String) {
        self.id = id
        self.name = name
    }

    /// A process by its id; its name is `?` where that cannot be seen.
    public init(of id: Int) {
        let name = Descriptor.contents(of: "/proc/\(id)/comm")?.split(separator: "\n").first
        self.init(id: id, name: name.map(String.init) ?? "?")
    }

    /// The name and id as in `python3 (pid 4711)`.
    public var description: String { "\(name) (pid \(id))" }

    /// Returns the processes that have one of these sockets open, as far as this user may see them.
    public static func owning(socketsWith inodes: Set<UInt64>) -> [ProcessDescription] {
        Set(owners(ofSockets: inodes).values.joined()).sorted { $0.id < $1.id }
    }

    /// Returns the processes that have each of these sockets open, by inode. A socket whose owners this user may not see is
    /// left out.
    ///
    /// Looks through /proc/PID/fd of every process: not for a worker's loop.
    public static func owners(ofSockets inodes: Set<UInt64>) -> [UInt64: [ProcessDescription]] {
        guard !inodes.isEmpty else { return [:] }
        let links = Dictionary(uniqueKeysWithValues: inodes.map { ("socket:[\($0)]", $0) })
        var owners: [UInt64: [ProcessDescription]] = [:]
        for id in ProcFileSystem.names(in: "/proc").compactMap({ Int($0) }).sorted() {
            let directory = "/proc/\(id)/fd"
            let owned = Set(
                ProcFileSystem.names(in: directory).compactMap { descriptor in
                    ProcFileSystem.target(ofLink: "\(directory)/\(descriptor)").flatMap { links[$0] }
                })
            guard !owned.isEmpty else { continue }
            let process = ProcessDescription(of: id)
            for inode in owned { owners[inode, default: []].append(process) }
        }
        return owners
    }
}
