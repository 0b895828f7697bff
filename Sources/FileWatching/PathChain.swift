internal import Glibc

/// The way from a path to its file at this moment: every directory in which a name is looked up, through all symbolic
/// links, and the file at its end.
///
/// Every change of where the path leads is a change of one of these names in its directory: a file that is renamed
/// over, a link that is swapped, a directory that is removed and made again.
struct PathChain: Equatable {
    /// The identity of a file or directory, whatever it is called.
    struct Identity: Equatable {
        private let device: UInt64
        private let inode: UInt64

        fileprivate init(_ status: stat) {
            device = UInt64(status.st_dev)
            inode = UInt64(status.st_ino)
        }
    }

    /// The part of a file's status that differs once it has become another file or was written to.
    struct FileState: Equatable {
        private let identity: Identity
        private let size: Int
        private let seconds: Int
        private let nanoseconds: Int

        var isEmpty: Bool { size == 0 }

        fileprivate init(_ status: stat) {
            identity = Identity(status)
            size = Int(status.st_size)
            seconds = status.st_mtim.tv_sec
            nanoseconds = status.st_mtim.tv_nsec
        }
    }

    /// A name that is looked up in a directory.
    struct Step: Equatable {
        let directory: String
        let name: String
        /// The directory's identity; nil where there is none.
        let identity: Identity?
    }

    private(set) var steps: [Step] = []
    /// The file's path without a symbolic link in it; nil where the path leads nowhere.
    private(set) var file: String?
    private(set) var fileIdentity: Identity?

    /// The number of links that the kernel follows.
    private static let mostLinks = 40

    init(of path: String) {
        var pending = Self.components(path)
        var directory = path.hasPrefix("/") ? "/" : "."
        var links = 0
        while let name = pending.popLast() {
            if name == ".." {
                directory = Self.join(directory, name)
                continue
            }
            steps.append(Step(directory: directory, name: name, identity: Self.status(directory).map(Identity.init)))
            let step = Self.join(directory, name)
            if let target = Self.link(step) {
                links += 1
                guard links <= Self.mostLinks else { return }
                if target.hasPrefix("/") { directory = "/" }
                pending += Self.components(target)
            } else {
                directory = step
            }
        }
        guard let status = Self.status(directory), status.st_mode & S_IFMT == S_IFREG else { return }
        file = directory
        fileIdentity = Identity(status)
    }

    /// The time since the file was last written to; nil where there is no file.
    var fileAge: Duration? {
        guard let file, let status = Self.status(file) else { return nil }
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return .seconds(now.tv_sec - status.st_mtim.tv_sec) + .nanoseconds(now.tv_nsec - status.st_mtim.tv_nsec)
    }

    /// Returns the state of the file that a path leads to; nil where it leads nowhere.
    static func state(ofFileAt path: String) -> FileState? {
        status(path).map(FileState.init)
    }

    /// Whether the name is a symbolic link at this moment.
    static func isLink(_ step: Step) -> Bool {
        link(join(step.directory, step.name)) != nil
    }

    /// Returns the names in a path, the last one first.
    private static func components(_ path: String) -> [String] {
        path.split(separator: "/").map(String.init).filter { $0 != "." }.reversed()
    }

    private static func join(_ directory: String, _ name: String) -> String {
        directory == "/" ? "/\(name)" : "\(directory)/\(name)"
    }

    private static func status(_ path: String) -> stat? {
        var status = stat()
        return stat(path, &status) == 0 ? status : nil
    }

    /// Returns the target of a symbolic link; nil for everything else.
    private static func link(_ path: String) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            guard let start = buffer.baseAddress else { return nil }
            let count = readlink(path, start, buffer.count)
            guard count > 0 else { return nil }
            return String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
        }
    }
}
