/// `/metrics`: what a ``Snapshot`` says, for Prometheus and what reads its formats. The names are an interface: they stay.
public enum PrometheusText {
    /// The formats that a client can ask for.
    public enum Format: Sendable, Equatable {
        /// Prometheus's own text format, version 0.0.4.
        case text
        /// OpenMetrics 1.0.0.
        case openMetrics

        /// The value of Content-Type.
        public var contentType: String {
            switch self {
            case .text: "text/plain; version=0.0.4; charset=utf-8"
            case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            }
        }

        /// The format that a client prefers.
        /// - Parameter accept: its Accept field; nil where it has none.
        public init(accept: String?) {
            let wanted = AcceptedTypes(accept)
            let openMetrics = wanted.quality(of: "application/openmetrics-text", version: ["0.0.1", "1.0.0"])
            let plain = wanted.quality(of: "text/plain", version: ["0.0.4"])
            // Only who names it gets it: a browser's "anything" is better served with text that it shows.
            let isNamed = wanted.names("application/openmetrics-text")
            self = isNamed && openMetrics > 0 && openMetrics >= plain ? .openMetrics : .text
        }
    }

    /// The gauges whose names are those of counters without their `_total`.
    static let gauges: Set<String> = ["loopbridge_connections"]

    /// All metrics of a snapshot, as UTF-8.
    public static func render(_ snapshot: Snapshot, as format: Format) -> [UInt8] {
        var writer = MetricsWriter(format)
        writer.write(snapshot.program)
        writer.write(snapshot.routes)
        writer.write(workers: snapshot.workers)
        if let memory = snapshot.memory { writer.write(memory) }
        writer.write(snapshot.reloads)
        writer.begin(
            "loopbridge_log_lines_dropped_total", .counter, "Log lines that nobody took in time, and that were dropped."
        )
        writer.sample(snapshot.droppedLogLines)
        writer.write(snapshot.process, startTime: snapshot.program.startTime)
        writer.finish()
        return writer.text
    }
}

extension MetricsWriter {
    fileprivate mutating func write(_ program: Snapshot.Program) {
        begin("loopbridge_build_info", .info, "Which loopbridge this is; always 1.")
        sample(1, ["version": program.version])
        begin("loopbridge_draining", .gauge, "Whether no client is accepted any more and connections may only finish.")
        sample(program.isDraining)
    }

    fileprivate mutating func write(workers: [Snapshot.Worker]) {
        begin(
            "loopbridge_event_loop_lag_seconds", .gauge,
            "How long a worker took to get to a message, or has taken so far.", unit: "seconds")
        for worker in workers {
            sample(worker.loopLag / .seconds(1), ["worker": "\(worker.number)"])
        }
        begin(
            "loopbridge_parked_bytes", .gauge, "Bytes in memory that one side has sent and the other not yet taken.",
            unit: "bytes")
        for worker in workers { sample(worker.parkedBytes, ["worker": "\(worker.number)"]) }
        begin("loopbridge_worker_connections", .gauge, "Clients that a worker serves.")
        for worker in workers { sample(worker.connections, ["worker": "\(worker.number)"]) }
    }

    fileprivate mutating func write(_ memory: Snapshot.Memory) {
        begin(
            "loopbridge_memory_limit_bytes", .gauge,
            "The limit of memory that is nearest: the cgroup's, or the process's.",
            unit: "bytes")
        sample(memory.limitBytes, ["source": memory.source])
        begin(
            "loopbridge_memory_used_bytes", .gauge, "What counts against that limit, and the kernel can't take back.",
            unit: "bytes")
        sample(memory.usedBytes, ["source": memory.source])
        begin("loopbridge_memory_short", .gauge, "Whether memory is so short that new clients are refused.")
        sample(memory.level == .critical)
        begin(
            "loopbridge_memory_shortages_total", .counter,
            "How often memory became so short that new clients were refused.")
        sample(memory.shortages)
    }

    fileprivate mutating func write(_ reloads: Snapshot.Reloads) {
        begin("loopbridge_reloads_total", .counter, "How often the configuration was read again.")
        sample(reloads.succeeded, ["result": "success"])
        sample(reloads.failed, ["result": "failure"])
        begin("loopbridge_last_reload_successful", .gauge, "Whether the last reload succeeded, or there was none.")
        sample(!reloads.hasFailedLast)
        begin(
            "loopbridge_configuration_timestamp_seconds", .gauge, "When the configuration that holds was read.",
            unit: "seconds")
        sample(reloads.lastSuccess.secondsSince1970)
    }

    fileprivate mutating func write(_ process: ProcessUsage, startTime: Timestamp) {
        begin("process_cpu_seconds_total", .counter, "User and system time.", unit: "seconds")
        sample(process.cpuSeconds)
        begin("process_open_fds", .gauge, "Open file descriptors.")
        sample(process.openDescriptors)
        begin("process_max_fds", .gauge, "How many file descriptors may be open.")
        sample(process.maxDescriptors)
        begin("process_resident_memory_bytes", .gauge, "Resident memory.", unit: "bytes")
        sample(process.residentBytes)
        begin("process_virtual_memory_bytes", .gauge, "Virtual memory.", unit: "bytes")
        sample(process.virtualBytes)
        begin("process_start_time_seconds", .gauge, "When the process was started.", unit: "seconds")
        sample(startTime.secondsSince1970)
        begin("process_threads", .gauge, "Threads.")
        sample(process.threads)
    }
}
