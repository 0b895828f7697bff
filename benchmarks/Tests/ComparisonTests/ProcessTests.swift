import Foundation
import Glibc
import Testing

@testable import Comparison

@Suite struct ProcessMeterTests {
    @Test func readsTheTimeOfReapedChildren() {
        // The name has a blank and a parenthesis; utime 7, stime 8, cutime 30, cstime 12.
        let stat = "42 (a) b) S 1 42 42 0 -1 4194560 100 200 0 0 7 8 30 12 20 0 1 0 100 1000 50"
        #expect(ProcessMeter.reapedTicks(stat: stat) == 42)
        #expect(ProcessMeter.reapedTicks(stat: "") == 0)
    }

    @Test func addsMemoryOfSeveralProcesses() {
        let smaps = """
            5581c4a00000-7ffd rw-p 00000000 00:00 0 [rollup]
            Rss:                1000 kB
            Pss:                 900 kB
            Pss_Anon:            300 kB
            Pss_File:            590 kB
            Pss_Shmem:            10 kB
            """
        var memory = Memory()
        memory.add(smaps: smaps)
        memory.add(smaps: smaps)
        #expect(memory.resident == 2000 * 1024)
        #expect(memory.allocated == 620 * 1024)
    }

    @Test func seesTheWorkOfAChildThatHasEnded() throws {
        let files = try WorkFolder()
        // The shell's child works, is reaped by the shell, and then the shell waits.
        let script = "sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'; echo done; read -r line"
        let shell = try ChildProcess(["sh", "-c", script], files: files, hasInput: true)
        try shell.waitFor("done", seconds: 30)
        let used = try ProcessMeter(root: shell.processID).cpuSeconds()
        #expect(used > 0.02)
        try shell.tell("end")
        try shell.outputAtEnd(seconds: 5)
    }
}

@Suite struct ChildProcessTests {
    @Test func endsWithAllThatItStarted() throws {
        let files = try WorkFolder()
        let shell = try ChildProcess(["sh", "-c", "sleep 1000 & echo $!; wait"], files: files)
        try Wait.until("the child is there", seconds: 5) { shell.output.hasSuffix("\n") }
        let child = try #require(pid_t(shell.output.filter(\.isNumber)))
        #expect(ProcessMeter(root: shell.processID).tree == [shell.processID, child])
        shell.terminate()
        // An orphan is the system's to reap, where the tests are not told to.
        try Wait.until("it is gone", seconds: 5) {
            kill(child, 0) != 0 || readFile("/proc/\(child)/stat").contains(") Z ")
        }
        #expect(!shell.isRunning)
    }

    @Test func aFailureNamesTheReason() throws {
        let files = try WorkFolder()
        let command = ["sh", "-c", "echo starting >&2; echo 'error: no such port' >&2; echo bye >&2; exit 3"]
        let shell = try ChildProcess(command, name: "the proxy", files: files)
        let failure = #expect(throws: Failure.self) { try shell.outputAtEnd(seconds: 5) }
        #expect(failure?.description == "the proxy exited with 3: error: no such port")
    }

    @Test func hangingIsAFailure() throws {
        let files = try WorkFolder()
        let sleeper = try ChildProcess(["sleep", "1000"], files: files)
        #expect(throws: Failure.self) { try sleeper.outputAtEnd(seconds: 0.05) }
        #expect(!sleeper.isRunning)
    }
}

@Suite struct WorkFolderTests {
    @Test func oneThatGoesLeavesTheOthersAlone() throws {
        let kept = try WorkFolder()
        let folder = try kept.newFolder()
        _ = try WorkFolder().newFolder()
        #expect(access(folder, F_OK) == 0)
    }
}

@Suite struct ListeningSocketsTests {
    private let table = """
          sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
           0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1
           1: 0100007F:1F91 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 2
           2: 0100007F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 3
        """

    /// What is still `ip netns exec` shows the tables of where it comes from.
    @Test func aListenerAtHomeIsNotThatOfAProcessThatHasYetToLeave() throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        // The kernel chooses the port.
        try #require(listen(listener, 1) == 0)
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(listener, $0, &length) }
        }
        let port = Int(UInt16(bigEndian: address.sin_port))
        try #require(ListeningSockets.isListening(port: port, table: readFile("/proc/self/net/tcp")))
        let sleeper = try ChildProcess(["sleep", "1000"], files: try WorkFolder())
        defer { sleeper.terminate() }
        let failure = #expect(throws: Failure.self) {
            try ListeningSockets.wait(port: port, process: sleeper, seconds: 0.1)
        }
        #expect(failure?.description.contains("listens on port") == true)
    }

    @Test func onlyListenersCount() {
        #expect(ListeningSockets.isListening(port: 8080, table: table))
        #expect(ListeningSockets.isListening(port: 80, table: table))
        #expect(!ListeningSockets.isListening(port: 8081, table: table))
        #expect(!ListeningSockets.isListening(port: 90, table: table))
    }
}
