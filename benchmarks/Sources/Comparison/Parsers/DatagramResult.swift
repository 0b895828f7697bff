import Foundation

/// What our load of datagrams tells in a line of JSON.
struct DatagramResult: Decodable, Equatable {
    var answers: Int
    var lost: Int
    /// How long the load took.
    var seconds: Double

    /// Looks for the line in a program's output.
    /// - Throws: where there is none, or nothing was answered.
    init(output: String) throws {
        guard let line = output.split(separator: "\n").last(where: { $0.hasPrefix("{") }),
            let result = try? JSONDecoder().decode(DatagramResult.self, from: Data(line.utf8))
        else { throw Failure("the load generator told nothing") }
        guard result.answers > 0, result.seconds > 0 else { throw Failure("no datagram was answered") }
        self = result
    }
}
