/// What a measurement tells.
public enum Metric: String, CaseIterable, Codable, Sendable {
    /// Both directions together where both are loaded.
    case gigabitsPerSecond
    case requestsPerSecond
    /// Questions and answers together.
    case datagramsPerSecond
    /// The proxy's, user and system, for each GiB that went through.
    case cpuSecondsPerGiB
    case cpuMicrosecondsPerRequest
    case cpuMicrosecondsPerDatagram
    /// Questions without an answer.
    case lostPercent
    case p50
    case p99
    case p999
    case callsPerRequest
    /// What the proxy holds of memory at the end.
    case residentMiB
    case kilobytesPerConnection
    case firstByteMilliseconds

    /// What it is called in a heading.
    public var title: String {
        switch self {
        case .gigabitsPerSecond: "throughput"
        case .requestsPerSecond: "requests"
        case .datagramsPerSecond: "datagrams"
        case .cpuMicrosecondsPerDatagram: "proxy CPU per datagram"
        case .lostPercent: "lost"
        case .cpuSecondsPerGiB: "proxy CPU per GiB"
        case .cpuMicrosecondsPerRequest: "proxy CPU per request"
        case .p50: "p50"
        case .p99: "p99"
        case .p999: "p99.9"
        case .callsPerRequest: "system calls per request"
        case .residentMiB: "resident memory"
        case .kilobytesPerConnection: "memory per connection"
        case .firstByteMilliseconds: "exec to first byte"
        }
    }

    public var unit: String {
        switch self {
        case .gigabitsPerSecond: "Gbit/s"
        case .requestsPerSecond, .datagramsPerSecond: "/s"
        case .lostPercent: "%"
        case .cpuSecondsPerGiB: "s"
        case .cpuMicrosecondsPerRequest, .cpuMicrosecondsPerDatagram, .p50, .p99, .p999: "µs"
        case .callsPerRequest: ""
        case .residentMiB: "MiB"
        case .kilobytesPerConnection: "kB"
        case .firstByteMilliseconds: "ms"
        }
    }

    public var lessIsBetter: Bool {
        switch self {
        case .gigabitsPerSecond, .requestsPerSecond, .datagramsPerSecond: false
        default: true
        }
    }

    /// The value with as many digits as mean something.
    public func format(_ value: Double) -> String {
        let magnitude = abs(value)
        if magnitude >= 1000 { return Metric.grouped(value) }
        if magnitude >= 100 { return Metric.fixed(value, 0) }
        if magnitude >= 10 { return Metric.fixed(value, 1) }
        return Metric.fixed(value, self == .cpuSecondsPerGiB ? 3 : 2)
    }
}
