import EventLoop
import Glibc
import Testing

@testable import Supervisor

@Suite struct ProcessEndTests {
    @Test(arguments: [
        (0x0000, ProcessEnd.exited(0), 0), (0x0100, .exited(1), 1), (0xFF00, .exited(255), 255),
        (SIGKILL, .killed(signal: SIGKILL), 137), (SIGTERM, .killed(signal: SIGTERM), 143),
        // With a core file.
        (SIGSEGV | 0x80, .killed(signal: SIGSEGV), 139),
    ])
    func aWaitStatusIsRead(status: Int32, end: ProcessEnd, exitCode: Int32) {
        #expect(ProcessEnd(waitStatus: status) == end)
        #expect(end.exitCode == exitCode)
    }

    @Test(arguments: [ENOENT: 127, EACCES: 126, ENOEXEC: 126, EISDIR: 126] as [Int32: Int32])
    func aCommandThatCannotBeStartedExitsAsInAShell(code: Int32, exitCode: Int32) {
        let error = CommandNotStarted(command: "app", error: SystemError("posix_spawnp", code: code))
        #expect(error.exitCode == exitCode)
        #expect(error.description.hasPrefix("cannot start app: "))
    }
}
