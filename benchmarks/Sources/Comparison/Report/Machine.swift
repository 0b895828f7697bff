import Foundation

/// What the comparison ran on.
public struct Machine: Codable, Sendable, Equatable {
    public var processor: String
    public var processors: Int
    public var memoryGiB: Double
    public var kernel: String
    public var system: String
    /// The load generators and the app behind the proxies, with their versions.
    public var tools: [String: String]
    /// When, in UTC, to the minute.
    public var date: String

    /// This one.
    public static func current() -> Machine {
        let model = readFile("/proc/cpuinfo").split(separator: "\n").first { $0.hasPrefix("model name") }
        let system = readFile("/etc/os-release").split(separator: "\n").first { $0.hasPrefix("PRETTY_NAME=") }
        let commands = [
            "iperf3": ["iperf3", "--version"], "nginx": ["nginx", "-v"], "strace": ["strace", "--version"],
            "wrk": ["dpkg-query", "--showformat=${Version}", "--show", "wrk"],
        ]
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(identifier: "UTC")
        format.dateFormat = "yyyy-MM-dd HH:mm"
        return Machine(
            processor: model?.split(separator: ":").last.map { String($0.drop { $0 == " " }) } ?? "unknown",
            processors: ProcessInfo.processInfo.activeProcessorCount,
            memoryGiB: (Double(ProcessInfo.processInfo.physicalMemory) / 1_073_741_824 * 10).rounded() / 10,
            kernel: readFile("/proc/sys/kernel/osrelease").trimmingCharacters(in: .whitespacesAndNewlines),
            system: system.map { $0.dropFirst("PRETTY_NAME=".count).filter { $0 != "\"" } } ?? "unknown",
            tools: commands.compactMapValues { command in
                (try? SystemCommand.output(command)).flatMap(PeerCatalogue.version)
            },
            date: format.string(from: Date()))
    }
}
