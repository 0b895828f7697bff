import Foundation
import Glibc

/// What a process and all its descendants have used.
struct ProcessMeter {
    let root: pid_t

    /// The process and its living descendants.
    var tree: [pid_t] {
        var found = [root]
        var next = 0
        while next < found.count {
            let tasks = "/proc/\(found[next])/task"
            for task in (try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? [] {
                found += readFile("\(tasks)/\(task)/children").split(separator: " ").compactMap { pid_t($0) }
            }
            next += 1
        }
        return found
    }

    /// CPU seconds so far, user and system: of the living from their clocks, to the nanosecond, and of the children
    /// that they reaped, which the kernel tells to the hundredth.
    func cpuSeconds() throws -> Double {
        var sum = 0.0
        for process in tree {
            var clock: clockid_t = 0
            var time = timespec()
            guard clock_getcpuclockid(process, &clock) == 0, clock_gettime(clock, &time) == 0 else {
                if process == root { throw Failure("the proxy has ended") }
                continue
            }
            sum += Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
            sum += ProcessMeter.reapedTicks(stat: readFile("/proc/\(process)/stat")) / ProcessMeter.ticksPerSecond
        }
        return sum
    }

    /// Memory so far.
    func memory() -> Memory {
        var memory = Memory()
        for process in tree { memory.add(smaps: readFile("/proc/\(process)/smaps_rollup")) }
        return memory
    }

    /// cutime and cstime, from what /proc/PID/stat says. The name before them may hold blanks and parentheses.
    static func reapedTicks(stat: String) -> Double {
        guard let end = stat.lastIndex(of: ")") else { return 0 }
        let fields = stat[end...].split(separator: " ")
        // The state is field 3 of the file and field 1 here; cutime and cstime are fields 16 and 17.
        guard fields.count > 15 else { return 0 }
        return (Double(fields[14]) ?? 0) + (Double(fields[15]) ?? 0)
    }

    private static let ticksPerSecond = Double(sysconf(Int32(_SC_CLK_TCK)))
}

/// What a process tree holds of memory, in bytes.
struct Memory: Equatable {
    /// What is resident, the program's own pages included; pages that processes of the tree share count once for each.
    var resident = 0.0
    /// What the processes allocated: anonymous and shared memory, each page once.
    var allocated = 0.0

    /// Adds what a process's /proc/PID/smaps_rollup says.
    mutating func add(smaps: String) {
        for line in smaps.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count >= 2, let kibibytes = Double(words[1]) else { continue }
            switch words[0] {
            case "Rss:": resident += kibibytes * 1024
            case "Pss_Anon:", "Pss_Shmem:": allocated += kibibytes * 1024
            default: break
            }
        }
    }
}

/// A file of /proc, or nothing where it is gone.
func readFile(_ path: String) -> String {
    // Foundation asks for the size first, which is 0 there.
    guard let file = fopen(path, "re") else { return "" }
    defer { fclose(file) }
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16384)
    while true {
        let count = fread(&buffer, 1, buffer.count, file)
        guard count > 0 else { break }
        text += buffer[..<count]
    }
    return String(decoding: text, as: UTF8.self)
}
