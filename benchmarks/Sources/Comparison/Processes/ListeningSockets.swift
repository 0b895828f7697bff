import Foundation

/// Who listens in a process's network namespace.
enum ListeningSockets {
    /// Waits until somebody in the namespace of `process`, which is not ours, listens on `port`. `process` may still be
    /// `ip netns exec`, on its way there: a listener at home is none of its business.
    static func wait(port: Int, process: ChildProcess, over mode: Mode = .tcp, seconds: Double) throws {
        try Wait.until("\(process.name) listens on port \(port)", seconds: seconds) {
            guard process.isRunning else { throw Failure("\(process.name) \(process.ending)\(process.complaint)") }
            guard namespace("\(process.processID)") != namespace("self") else { return false }
            let protocolName = mode == .udp ? "udp" : "tcp"
            return ["", "6"].contains { family in
                isListening(
                    port: port, table: readFile("/proc/\(process.processID)/net/\(protocolName)\(family)"),
                    state: mode == .udp ? unconnected : listening)
            }
        }
    }

    /// Which network namespace a process is in; nil once it is gone.
    private static func namespace(_ process: String) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/ns/net")
    }

    /// States in these tables: TCP's LISTEN, and CLOSE, which a UDP socket has that anybody may write to.
    private static let listening = "0A"
    private static let unconnected = "07"

    /// Whether a table as /proc/net/tcp has a listener on `port`.
    static func isListening(port: Int, table: String, state: String = listening) -> Bool {
        let digits = String(port, radix: 16, uppercase: true)
        let suffix = ":" + String(repeating: "0", count: 4 - digits.count) + digits
        return table.split(separator: "\n").contains { line in
            let fields = line.split(separator: " ")
            return fields.count > 3 && fields[3] == state && fields[1].hasSuffix(suffix)
        }
    }
}
