internal import EventLoop
internal import Glibc

/// The sockets that a service manager has passed to this process, by the protocol of sd_listen_fds(3): they are the descriptors
/// from 3 on, `LISTEN_FDS` of them, if `LISTEN_PID` is this process; `LISTEN_FDNAMES` has their names, with colons between.
public struct InheritedSockets: Sendable {
    /// The contents of the variables.
    struct Announcement: Equatable {
        var names: [String] = []
        /// They are meant for another process, as it happens when one starts another.
        var isForAnother = false

        /// - Parameter process: this process's id.
        init(_ environment: [String: String], process: Int32) {
            guard let count = environment["LISTEN_FDS"].flatMap({ Int($0) }), count > 0 else { return }
            guard environment["LISTEN_PID"].flatMap({ Int32($0) }) == process else {
                isForAnother = true
                return
            }
            let given = environment["LISTEN_FDNAMES"].map {
                $0.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            }
            names = (0..<min(count, Self.most)).map { index in
                guard let given, given.indices.contains(index), !given[index].isEmpty else { return Self.unnamed }
                return given[index]
            }
        }

        /// The name that systemd gives a descriptor without one.
        private static let unnamed = "unknown"
        /// More than anybody passes; a slip of somebody's pen must not keep us busy.
        private static let most = 4096
    }

    /// Those of this process. To be asked for at its very start, before a descriptor of its own can have one of the numbers.
    public static let ofProcess = InheritedSockets(Announcement(ProcessStart.environment, process: getpid()))

    /// In the order in which they were passed.
    public let sockets: [InheritedSocket]
    /// Sockets were passed, but to another process.
    public let areForAnotherProcess: Bool

    private static let first: CInt = 3

    init(_ announcement: Announcement) {
        sockets = announcement.names.enumerated().map { index, name in
            InheritedSocket(named: name, number: Self.first + CInt(index))
        }
        areForAnotherProcess = announcement.isForAnother
    }

    /// None.
    public init() {
        self.init(Announcement([:], process: 0))
    }
}
