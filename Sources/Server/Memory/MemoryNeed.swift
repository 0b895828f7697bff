internal import Memory
internal import Relay

/// The consequences of a limit of memory: the number of workers, the bytes that they may park, and whether there can be a start.
struct MemoryNeed {
    /// The limit is too low for any client to be served.
    struct Fault: Error, Equatable, CustomStringConvertible {
        let source: MemoryReading.Source
        let limit: Int
        let workers: Int
        let least: Int

        var description: String {
            let (name, remedy) =
                switch source {
                case .cgroup: ("the container's limit of memory", "raise it")
                case .addressSpace: ("the limit of addresses (RLIMIT_AS)", "raise it")
                case .data: ("the limit of data (RLIMIT_DATA)", "raise it")
                case .setting: ("the limit of memory in the configuration ('memory')", "raise it")
                }
            let fewer = workers > 1 ? ", or set fewer workers" : ""
            let count = workers == 1 ? "1 worker" : "\(workers) workers"
            return """
                \(name) is \(Self.mebibytes(limit)), and \(count) need \(Self.mebibytes(least)) before the first client \
                comes: \(remedy)\(fewer)
                """
        }

        private static func mebibytes(_ bytes: Int) -> String { "\((bytes + (1 << 20) - 1) >> 20) MiB" }
    }

    /// The limit and its use at the start; nil where there is no limit.
    let reading: MemoryReading?

    init(_ reading: MemoryReading?) {
        self.reading = reading
    }

    /// The bytes that a worker needs: its buffers, as far as they are used under load.
    static let worker = 2 << 20
    /// The bytes that the program needs besides in a cgroup: its code, its threads, and the kernel's share.
    static let program = 8 << 20

    /// The number of workers that the limit allows with `workers: auto`: they may take a quarter of it.
    var mostWorkers: Int {
        guard let reading else { return .max }
        return max(1, reading.limit / 4 / Self.worker)
    }

    /// Returns the number of bytes that each worker may park: all together a quarter of the limit.
    func parking(workers: Int) -> Int {
        guard let reading else { return RelayWorkspace.usualParkingLimit }
        return min(RelayWorkspace.usualParkingLimit, reading.limit / 4 / workers)
    }

    /// Checks that there is room for the workers and for a first client.
    /// - Throws: ``Fault`` where there is not.
    func check(workers: Int) throws(Fault) {
        guard let reading else { return }
        // Others in a cgroup may give back later what they use now; this process's memory only grows.
        let program = reading.source == .cgroup ? Self.program : reading.used
        let least = program + workers * Self.worker + reading.reserve
        if reading.limit < least {
            throw Fault(source: reading.source, limit: reading.limit, workers: workers, least: least)
        }
    }
}
