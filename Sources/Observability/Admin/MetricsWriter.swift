/// Puts families of metrics together as text, in either of the forms that Prometheus reads.
struct MetricsWriter {
    enum Kind: String {
        case counter
        case gauge
        case histogram
        /// A gauge that is always 1, for its labels.
        case info
    }

    /// A family and what is known of it; its lines are written with its first sample.
    struct Family {
        let name: String
        let kind: Kind
        let help: String
        /// The last part of the name that is a unit of OpenMetrics.
        let unit: String?
    }

    typealias Labels = KeyValuePairs<String, String>

    private(set) var text: [UInt8] = []
    private let format: PrometheusText.Format
    private var family = Family(name: "", kind: .gauge, help: "", unit: nil)
    private var hasHeader = false
    /// The labels of all samples of a histogram, without what is around them.
    private var labels: [UInt8] = []

    init(_ format: PrometheusText.Format) {
        self.format = format
        text.reserveCapacity(16 << 10)
    }

    /// Ends the text.
    mutating func finish() {
        if format == .openMetrics { append("# EOF\n") }
    }

    /// Begins a family; all of its samples follow.
    /// - Parameter name: as in queries: a counter's with its `_total`.
    mutating func begin(_ name: String, _ kind: Kind, _ help: String, unit: String? = nil) {
        family = Family(name: name, kind: kind, help: help, unit: unit)
        hasHeader = false
    }

    mutating func sample(_ value: UInt64, _ labels: Labels = [:]) {
        sample("\(value)", labels)
    }

    mutating func sample(_ value: Int, _ labels: Labels = [:]) {
        sample("\(value)", labels)
    }

    mutating func sample(_ value: Bool, _ labels: Labels = [:]) {
        sample(value ? "1" : "0", labels)
    }

    mutating func sample(_ value: Double, _ labels: Labels = [:]) {
        sample("\(value)", labels)
    }

    private mutating func sample(_ value: String, _ labels: Labels) {
        writeHeader()
        set(labels)
        line("", value)
    }

    mutating func sample<Scale>(_ histogram: Histogram<Scale>, _ labels: Labels) {
        writeHeader()
        set(labels)
        var total: UInt64 = 0
        for (index, bound) in Scale.bounds.enumerated() {
            total += histogram.counts[index]
            line("_bucket", "\(total)", bound: Self.canonical(Double(bound) / Scale.unitsPerMetric))
        }
        total += histogram.counts[Scale.bounds.count]
        line("_bucket", "\(total)", bound: "+Inf")
        line("_sum", "\(Double(histogram.sum) / Scale.unitsPerMetric)")
        line("_count", "\(total)")
    }

    private mutating func writeHeader() {
        guard !hasHeader else { return }
        hasHeader = true
        var name = family.name
        var kind = family.kind.rawValue
        switch (format, family.kind) {
        case (.text, .info): kind = MetricsWriter.Kind.gauge.rawValue
        case (.openMetrics, .counter) where PrometheusText.gauges.contains(String(name.dropLast("_total".count))):
            // Two families may not have one name there, and a counter's is without its suffix.
            kind = "unknown"
        case (.openMetrics, .counter): name = String(name.dropLast("_total".count))
        case (.openMetrics, .info): name = String(name.dropLast("_info".count))
        default: break
        }
        append("# HELP \(name) \(family.help)\n# TYPE \(name) \(kind)\n")
        if format == .openMetrics, let unit = family.unit { append("# UNIT \(name) \(unit)\n") }
    }

    private mutating func line(_ suffix: String, _ value: String, bound: String? = nil) {
        append(family.name)
        append(suffix)
        if !labels.isEmpty || bound != nil {
            append("{")
            text += labels
            if let bound {
                if !labels.isEmpty { append(",") }
                append("le=\"\(bound)\"")
            }
            append("}")
        }
        append(" \(value)\n")
    }

    private mutating func append(_ string: String) {
        text += string.utf8
    }

    private mutating func set(_ pairs: Labels) {
        labels.removeAll(keepingCapacity: true)
        for (name, value) in pairs {
            if !labels.isEmpty { labels.append(UInt8(ascii: ",")) }
            labels += "\(name)=\"".utf8
            for byte in value.utf8 {
                switch byte {
                case UInt8(ascii: "\\"), UInt8(ascii: "\""): labels += [UInt8(ascii: "\\"), byte]
                case UInt8(ascii: "\n"): labels += "\\n".utf8
                default: labels.append(byte)
                }
            }
            labels.append(UInt8(ascii: "\""))
        }
    }

    /// A bound as OpenMetrics wants it, and as both forms have it, so that a query finds the same label whichever was read:
    /// `0.00016`, `1.0`, `1.048576e+06`.
    static func canonical(_ bound: Double) -> String {
        guard bound >= 1e6, let whole = UInt64(exactly: bound) else { return "\(bound)" }
        let digits = "\(whole)"
        var fraction = digits.dropFirst()
        while fraction.last == "0" { fraction.removeLast() }
        let exponent = digits.count - 1
        let mantissa = fraction.isEmpty ? "\(digits.prefix(1))" : "\(digits.prefix(1)).\(fraction)"
        return "\(mantissa)e+\(exponent < 10 ? "0" : "")\(exponent)"
    }
}
