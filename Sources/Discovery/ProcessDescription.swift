internal import EventLoop

/// A process, as a person would name it.
public struct ProcessDescription: Hashable, Sendable, CustomStringConvertible {
    public let id: Int
    /// The command's name, at most 15 bytes (/proc/PID/comm).
    public let name: String

    /// `python3 (pid 4711)`
    public var description: String { "\(name) (pid \(id))" }

    /// The processes that have one of these sockets open, as far as this user may see that.
    ///
    /// Looks through /proc/PID/fd of every process: not for a worker's loop.
    public static func owning(socketsWith inodes: Set<UInt64>) -> [ProcessDescription] {
        guard !inodes.isEmpty else { return [] }
        let links = Set(inodes.map { "socket:[\($0)]" })
        return ProcFileSystem.names(in: "/proc").compactMap { Int($0) }.sorted().compactMap { id in
            let directory = "/proc/\(id)/fd"
            let owns = ProcFileSystem.names(in: directory).contains { descriptor in
                ProcFileSystem.target(ofLink: "\(directory)/\(descriptor)").map(links.contains) ?? false
            }
            guard owns else { return nil }
            let name = Descriptor.contents(of: "/proc/\(id)/comm")?.split(separator: "\n").first
            return ProcessDescription(id: id, name: name.map(String.init) ?? "?")
        }
    }
}
