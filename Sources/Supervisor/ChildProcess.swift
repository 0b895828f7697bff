internal import CLinux
public import EventLoop
internal import Glibc

/// The end of a process (wait(2)).
public enum ProcessEnd: Equatable, Sendable {
    case exited(Int32)
    case killed(signal: Int32)

    init(waitStatus status: Int32) {
        let signal = status & 0x7F
        self = signal == 0 ? .exited((status >> 8) & 0xFF) : .killed(signal: signal)
    }

    /// The code that a shell would exit with: the process's own, or 128 and the signal.
    public var exitCode: Int32 {
        switch self {
        case .exited(let code): code
        case .killed(let signal): 128 + signal
        }
    }
}

/// The failure to start a command.
public struct CommandNotStarted: Error, CustomStringConvertible {
    /// The command's name.
    public let command: String
    /// The reason, from posix_spawn(3).
    public let error: SystemError

    /// The code that a shell would exit with: 127 where there is no such command, 126 where it cannot be executed.
    public var exitCode: Int32 { error.code == ENOENT ? 127 : 126 }

    public var description: String { "cannot start \(command): \(error.reason)" }
}

/// Starts the app's command.
enum ChildProcess {
    /// The variables of a service manager, which are meant for one process and none that it starts (sd_listen_fds(3),
    /// sd_notify(3)).
    private static let serviceManagersVariables = [
        "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "LISTEN_PIDFDID", "NOTIFY_SOCKET", "WATCHDOG_USEC",
        "WATCHDOG_PID",
    ]

    /// Starts a command in a process group of its own, with this process's environment, and with the terminal where this
    /// process is in its foreground.
    /// - Parameters:
    ///   - command: the program, looked for in PATH, and its arguments.
    ///   - signals: the settings of signals that the command gets.
    /// - Returns: the process id.
    /// - Throws: ``CommandNotStarted``.
    static func start(_ command: [String], signals: InheritedSignals) throws(CommandNotStarted) -> pid_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var defaults = sigset_t()
        clinux_all_signals(&defaults)
        for number in signals.ignored { clinux_remove_signal(&defaults, number) }
        var mask = signals.mask
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        posix_spawnattr_setsigmask(&attributes, &mask)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP))

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // Job control: the child's group becomes the terminal's foreground group, before the command runs.
        if isatty(0) == 1, tcgetpgrp(0) == getpgrp() { _ = clinux_spawn_in_foreground(&actions, 0) }

        var arguments = command.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        // A service manager's variables are meant for this process alone.
        let entries = ProcessStart.environmentEntries.filter { entry in
            !serviceManagersVariables.contains { entry.hasPrefix("\($0)=") }
        }
        var environment = entries.map { strdup($0) } + [nil]
        defer { for entry in environment { free(entry) } }
        var id = pid_t()
        let code = signals.withIgnored {
            command[0].withCString { posix_spawnp(&id, $0, &actions, &attributes, &arguments, &environment) }
        }
        guard code == 0 else {
            throw CommandNotStarted(command: command[0], error: SystemError("posix_spawnp", code: code))
        }
        return id
    }
}
