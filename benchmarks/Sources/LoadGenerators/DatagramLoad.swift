import Glibc

/// Datagrams from some clients, each of which has the same number on their way at all times: each answer is followed by
/// the next question.
public struct DatagramLoad {
    /// Where the proxy listens, an IPv4 address.
    public var host: String
    public var port: Int
    /// How many clients, each with a port of its own.
    public var clients: Int
    /// How many questions each has on their way.
    public var inFlight: Int
    /// Bytes in a datagram.
    public var size: Int
    public var seconds: Double

    public init(host: String, port: Int, clients: Int, inFlight: Int, size: Int, seconds: Double) {
        self.host = host
        self.port = port
        self.clients = clients
        self.inFlight = inFlight
        self.size = size
        self.seconds = seconds
    }

    /// What came of it.
    public struct Result: Equatable {
        /// Answers that came in time.
        public var answers = 0
        /// Questions to which none came.
        public var lost = 0
        public var seconds = 0.0
    }

    private struct Client {
        var waiting = 0
        var lastHeard: UInt64
    }

    /// After so long without an answer a client gives up what it has asked, and asks anew.
    private static let patience: UInt64 = 200_000_000

    /// Runs to the end.
    public func run() throws -> Result {
        var descriptors: [Int32] = []
        defer { for descriptor in descriptors { close(descriptor) } }
        var poller = try Poller(capacity: clients)
        for number in 0..<clients {
            let descriptor = try DatagramSocket(connectedTo: host, port: port).released()
            descriptors.append(descriptor)
            try poller.add(descriptor, tag: number)
        }
        let question = [UInt8](repeating: 0x71, count: size)
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let start = Clock.now
        let end = start + UInt64(seconds * 1e9)
        var states = [Client](repeating: Client(lastHeard: start), count: clients)
        var result = Result()
        var now = start
        var nextLook = start + Self.patience
        func ask(_ number: Int) {
            while states[number].waiting < inFlight {
                // A full buffer, or a refusal of an earlier one: the answer will be missing.
                guard send(descriptors[number], question, size, Int32(MSG_DONTWAIT)) == size else { return }
                states[number].waiting += 1
            }
        }
        for number in 0..<clients { ask(number) }
        while now < end {
            try poller.wait(nanoseconds: 50_000_000) { (number) throws(LoadFailure) in
                while states[number].waiting > 0 {
                    let count = recv(descriptors[number], &buffer, buffer.count, Int32(MSG_DONTWAIT))
                    guard count >= 0 else { break }
                    guard count == size else { throw LoadFailure("an answer of \(count) bytes to \(size)") }
                    states[number].waiting -= 1
                    states[number].lastHeard = now
                    result.answers += 1
                }
                // One that came after it was given up.
                if states[number].waiting == 0 { _ = recv(descriptors[number], &buffer, 0, Int32(MSG_DONTWAIT)) }
                ask(number)
            }
            now = Clock.now
            if now >= nextLook {
                nextLook = now + Self.patience / 4
                for number in 0..<clients where now - states[number].lastHeard > Self.patience {
                    result.lost += states[number].waiting
                    states[number] = Client(lastHeard: now)
                    ask(number)
                }
            }
        }
        result.seconds = Double(now - start) / 1e9
        return result
    }
}
