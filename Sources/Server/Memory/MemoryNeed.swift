internal import Memory
internal import Relay

/// What a limit of memory means for how much is kept, and for whether there can be a start at all.
struct MemoryNeed {
    /// The limit allows too little for anybody to be served.
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

    /// Nil where there is no limit.
    let reading: MemoryReading?

    init(_ reading: MemoryReading?) {
        self.reading = reading
    }

    /// What a worker needs: its buffers, as far as they are used under load.
    static let worker = 2 << 20
    /// What the program needs besides in a cgroup: its code, its threads, what the kernel has of it.
    static let program = 8 << 20

    /// How many workers a limit allows for where nobody has said how many: they are to have a quarter of it.
    var mostWorkers: Int {
        guard let reading else { return .max }
        return max(1, reading.limit / 4 / Self.worker)
    }

    /// How many bytes each worker may park: a quarter of what there is for all of them together.
    func parking(workers: Int) -> Int {
        guard let reading else { return RelayWorkspace.usualParkingLimit }
        return min(RelayWorkspace.usualParkingLimit, reading.limit / 4 / workers)
    }

    /// Checks that there is room for the workers and, after that, for somebody to be served.
    /// - Throws: ``Fault`` where there is not, whatever goes on besides.
    func check(workers: Int) throws(Fault) {
        guard let reading else { return }
        // What others in a cgroup use now they may give back later; our own memory only grows.
        let program = reading.source == .cgroup ? Self.program : reading.used
        let least = program + workers * Self.worker + reading.reserve
        if reading.limit < least {
            throw Fault(source: reading.source, limit: reading.limit, workers: workers, least: least)
        }
    }
}
