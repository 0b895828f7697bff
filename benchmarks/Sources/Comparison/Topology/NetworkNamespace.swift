import Foundation
import Glibc

/// A network namespace that `ip netns` knows by a name that nobody else uses; removed with `remove`.
final class NetworkNamespace: Sendable {
    static let prefix = "lb-bench-"
    let name: String

    init(_ label: String) throws {
        name = "\(NetworkNamespace.prefix)\(getpid())-\(label)"
        try SystemCommand.run(["ip", "netns", "add", name])
        let name = name
        ProcessRegistry.onClose { NetworkNamespace.remove(name) }
        try SystemCommand.run(["ip", "-n", name, "link", "set", "lo", "up"])
        // Thousands of connections a second need more source ports than the kernel gives out of the box, and may take
        // them again after a second. Listeners here stay below.
        try SystemCommand.run(
            [
                "ip", "netns", "exec", name, "sh", "-c",
                """
                echo 10240 65535 > /proc/sys/net/ipv4/ip_local_port_range
                echo 1 > /proc/sys/net/ipv4/tcp_tw_reuse
                """,
            ])
    }

    /// The command line that runs `command` inside, as the very process that is started.
    func inside(_ command: [String]) -> [String] {
        ["ip", "netns", "exec", name] + command
    }

    func remove() {
        NetworkNamespace.remove(name)
    }

    /// Ends what still runs inside, and removes the namespace.
    private static func remove(_ name: String) {
        guard access("/run/netns/\(name)", F_OK) == 0 else { return }
        let processes = (try? SystemCommand.output(["ip", "netns", "pids", name])) ?? ""
        for process in processes.split(separator: "\n").compactMap({ pid_t($0) }) where process != getpid() {
            kill(process, SIGKILL)
        }
        try? SystemCommand.run(["ip", "netns", "del", name])
    }

    /// Removes what comparisons that were killed have left behind.
    static func removeStale() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/run/netns")) ?? []
        where name.hasPrefix(prefix) {
            let owner = name.dropFirst(prefix.count).prefix { $0 != "-" }
            if access("/proc/\(owner)", F_OK) != 0 { remove(name) }
        }
    }
}
