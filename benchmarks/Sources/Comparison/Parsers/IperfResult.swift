import Foundation

/// What iperf3's client tells with --json.
struct IperfResult: Equatable {
    /// What arrived, both directions together.
    var bytes: Double
    /// Both directions together.
    var bitsPerSecond: Double

    private struct Report: Decodable {
        struct Sum: Decodable {
            var bytes: Double
            var bits_per_second: Double
        }
        struct End: Decodable {
            var sum_received: Sum?
            var sum_received_bidir_reverse: Sum?
        }
        var end: End?
        var error: String?
    }

    /// - Throws: where it tells an error, or nothing.
    init(json: String) throws {
        guard let report = try? JSONDecoder().decode(Report.self, from: Data(json.utf8)) else {
            throw Failure("iperf3 told nothing")
        }
        if let error = report.error { throw Failure("iperf3: \(error)") }
        let sums = [report.end?.sum_received, report.end?.sum_received_bidir_reverse].compactMap { $0 }
        bytes = sums.reduce(0) { $0 + $1.bytes }
        bitsPerSecond = sums.reduce(0) { $0 + $1.bits_per_second }
        guard bytes > 0 else { throw Failure("iperf3 carried nothing") }
    }

    /// The error it tells, if it does.
    static func error(json: String) -> String? {
        (try? JSONDecoder().decode(Report.self, from: Data(json.utf8)))?.error
    }
}
