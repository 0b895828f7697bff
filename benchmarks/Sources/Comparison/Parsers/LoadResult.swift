import Foundation

/// What wrk with our script, and our own generator, tell in a line of JSON. Times of requests are in microseconds.
struct LoadResult: Decodable, Equatable {
    var requests: Int
    /// How long the load took.
    var seconds: Double
    var errors: Int
    var p50: Double
    var p99: Double
    var p999: Double

    /// Looks for the line in a program's output.
    /// - Throws: where there is none, or no request was answered.
    init(output: String) throws {
        guard let line = output.split(separator: "\n").last(where: { $0.hasPrefix("{") }),
            let result = try? JSONDecoder().decode(LoadResult.self, from: Data(line.utf8))
        else { throw Failure("the load generator told nothing") }
        guard result.requests > 0, result.seconds > 0 else { throw Failure("no request was answered") }
        self = result
    }
}
