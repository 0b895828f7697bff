import Foundation

/// What `openssl s_time` tells: how many connections it has made, and whether they have resumed a session.
struct HandshakeCount: Equatable {
    var connections: Int

    /// - Parameter resumed: whether all but the first were to go on with a session.
    /// - Throws: where it has told nothing, or more than a tenth of them were otherwise.
    init(output: String, resumed: Bool) throws {
        // An `r` for each connection that has resumed, a `t` or a `*` for one that has not; the first one never does.
        let marks = output.split(separator: "\n").first { $0.count > 1 && $0.allSatisfy { "rt*".contains($0) } }
        guard let found = output.firstMatch(of: /(\d+) connections in \d+ real seconds/),
            let connections = Int(found.1),
            connections > 0, let marks
        else { throw Failure("openssl s_time told nothing") }
        guard marks.count(where: { ($0 == "r") == resumed }) * 10 >= marks.count * 9 else {
            throw Failure(resumed ? "the sessions are not resumed" : "sessions are resumed")
        }
        self.connections = connections
    }
}
