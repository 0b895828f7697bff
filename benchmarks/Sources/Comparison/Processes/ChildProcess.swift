import Foundation
import Glibc

/// A process that was started here, in a process group of its own, with nothing on its standard input unless asked.
///
/// Its standard output and standard error go to files, so that nobody has to read while it runs. Not thread-safe.
final class ChildProcess {
    /// What it is called in errors.
    let name: String
    let processID: pid_t
    private let outputPath: String
    private let errorPath: String
    /// Writing here is its standard input; -1 if it has none.
    private var input: Int32
    /// How it ended, as waitpid(2) tells it.
    private var status: Int32?

    /// Starts `command`, whose first word is looked up in PATH.
    init(
        _ command: [String], name: String? = nil, environment: [String: String] = [:], files: WorkFolder,
        hasInput: Bool = false
    ) throws {
        self.name = name ?? command[0]
        outputPath = files.newPath("out")
        errorPath = files.newPath("err")
        var ends: [Int32] = [-1, -1]
        if hasInput {
            guard pipe(&ends) == 0 else { throw Failure("no pipe: \(lastError())") }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        }
        input = ends[1]
        defer { if ends[0] >= 0 { close(ends[0]) } }

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if hasInput {
            posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_addopen(&actions, 1, outputPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errorPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK))

        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        processID = try CStrings.with(command) { arguments in
            try CStrings.with(variables.map { "\($0)=\($1)" }) { variables in
                try ProcessRegistry.register {
                    var processID: pid_t = 0
                    let error = posix_spawnp(
                        &processID, command[0], &actions, &attributes, arguments, variables)
                    guard error == 0 else {
                        throw Failure("cannot start \(command[0]): \(String(cString: strerror(error)))")
                    }
                    return processID
                }
            }
        }
    }

    deinit {
        terminate()
    }

    /// What it has written to standard output so far.
    var output: String { (try? String(contentsOfFile: outputPath, encoding: .utf8)) ?? "" }

    /// What it has written to standard error so far.
    var errorOutput: String { (try? String(contentsOfFile: errorPath, encoding: .utf8)) ?? "" }

    /// Whether it has not ended yet.
    var isRunning: Bool {
        poll()
        return status == nil
    }

    /// Waits for its end and returns its standard output.
    /// - Throws: where it does not end in time (it is killed then), or ends otherwise than by exit code 0.
    @discardableResult
    func outputAtEnd(seconds: Double) throws -> String {
        do {
            try Wait.until("\(name) ends", seconds: seconds) { !isRunning }
        } catch {
            terminate()
            throw Failure("\(name) has not ended in \(Int(seconds)) s")
        }
        guard status == 0 else { throw Failure("\(name) \(ending)\(complaint)") }
        return output
    }

    /// Waits until `marker` appears on its standard output or standard error.
    func waitFor(_ marker: String, seconds: Double) throws {
        try Wait.until("\(name) says \(marker)", seconds: seconds) {
            if output.contains(marker) || errorOutput.contains(marker) { return true }
            guard isRunning else { throw Failure("\(name) \(ending)\(complaint)") }
            return false
        }
    }

    /// Writes a line to its standard input.
    func tell(_ line: String) throws {
        let bytes = Array((line + "\n").utf8)
        guard write(input, bytes, bytes.count) == bytes.count else { throw Failure("\(name) does not listen") }
    }

    /// Sends it a signal, unless it has ended.
    func signal(_ signal: Int32) {
        poll()
        if status == nil { kill(processID, signal) }
    }

    /// Ends it and what it started: SIGTERM, and SIGKILL for whatever is left after `grace` seconds.
    func terminate(grace: Double = 0) {
        if status == nil || groupExists {
            if grace > 0 {
                signal(SIGTERM)
                try? Wait.until("it ends", seconds: grace) { !isRunning }
            }
            kill(-processID, SIGKILL)
            while status == nil {
                var ending: Int32 = 0
                let result = waitpid(processID, &ending, 0)
                if result == processID || (result < 0 && errno != EINTR) { status = ending }
            }
            // What it forked is ours to reap now.
            while waitpid(-processID, nil, 0) > 0 {}
        }
        ProcessRegistry.unregister(processID)
        if input >= 0 { close(input) }
        input = -1
    }

    /// How it ended, for a person: "exited with 1".
    var ending: String {
        guard let status else { return "still runs" }
        let signal = status & 0x7f
        return signal == 0 ? "exited with \((status >> 8) & 0xff)" : "was ended by signal \(signal)"
    }

    /// What it complained about: the first line that says so.
    var complaint: String {
        let lines = [errorOutput, output].flatMap { $0.split(separator: "\n") }
            .filter { !$0.allSatisfy(\.isWhitespace) }
        let telling = lines.first { line in
            ["error", "alert", "fatal", "cannot", "failed"].contains { line.lowercased().contains($0) }
        }
        return (telling ?? lines.last).map { ": " + $0.prefix(200) } ?? ""
    }

    private var groupExists: Bool { kill(-processID, 0) == 0 }

    private func poll() {
        guard status == nil else { return }
        var ending: Int32 = 0
        if waitpid(processID, &ending, WNOHANG) == processID { status = ending }
    }
}

/// What the last failed call says.
func lastError() -> String { String(cString: strerror(errno)) }
