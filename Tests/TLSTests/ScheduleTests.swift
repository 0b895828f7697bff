import COpenSSL
import EventLoop
import Foundation
import Glibc
import Network
import Relay
import TLS
import TestSupport
import Testing

/// The real channel, relay and edges of the kernel, in every order in which segments come, edges are told and the app is there.
@Suite struct ScheduleTests {
    /// Who reads when the app is there.
    enum Reader: CaseIterable {
        case relay
        /// Which has words of its own to go first.
        case relayWithPreamble
        /// Which may park nothing, and looks before it takes.
        case lookingRelay
        /// Which looks for the client's first byte before the app is called.
        case relayAfterFirstByte
        /// Which takes a few bytes at a time.
        case smallReads
    }

    enum Step: CustomStringConvertible {
        case segment(Int)
        case turn
        case app

        var description: String {
            switch self {
            case .segment(let count): "\(count) bytes"
            case .turn: "turn"
            case .app: "app"
            }
        }
    }

    let authority = TestAuthority()
    /// With more, every order takes minutes.
    static let mostSegments = Int(ProcessInfo.processInfo.environment["SCHEDULE_SEGMENTS"] ?? "") ?? 3

    @Test(arguments: Reader.allCases) func everyOrderBringsEverything(to reader: Reader) throws {
        let loop = try EventLoop()
        let workspace = RelayWorkspace(on: loop, parkingLimit: reader == .lookingRelay ? 0 : 1 << 20)
        let tls = TLSWorkspace()
        let context = try authority.context()
        let client = ScheduledClient()
        var count = 0
        // Cut before, in, and behind each of: the handshake's last message, two records, the end.
        for cuts in 0..<(1 << ScheduledClient.places) where cuts.nonzeroBitCount < Self.mostSegments {
            let segments = cuts.nonzeroBitCount + 1
            for place in 0...segments {
                for turns in 0..<(1 << (segments + 1)) {
                    let bench = try ScheduleBench(context, client, reader, on: loop, in: workspace, tls)
                    var steps: [Step] = []
                    var pieces = client.pieces(cutBy: cuts)[...]
                    for index in 0...segments {
                        steps.append(index == place ? .app : .segment(pieces.removeFirst().count))
                        if turns & 1 << index != 0 { steps.append(.turn) }
                    }
                    for step in steps { bench.take(step) }
                    count += 1
                    guard bench.bringsEverything() else {
                        Issue.record("\(reader): \(steps) brings \(bench.app.received.count) bytes, then \(bench.end)")
                        return
                    }
                }
            }
        }
        print("\(reader): \(count) orders")
    }
}

/// A client of TLS that leaves it to the test what goes out when.
final class ScheduledClient {
    /// Where its last words can be cut.
    static let places = 7
    static let text = [UInt8](repeating: 65, count: 100) + [UInt8](repeating: 66, count: 30)

    private let context = SSL_CTX_new(TLS_client_method())!
    private var connection: OpaquePointer?
    private var words: [UInt8] = []
    private var bounds: [Int] = []

    deinit {
        SSL_free(connection)
        SSL_CTX_free(context)
    }

    /// Goes through a handshake, all but its last message, and encrypts what comes behind.
    /// - Parameter exchange: has the server read what is given, and returns what that has to say.
    func connect(_ exchange: ([UInt8]) -> [UInt8]) {
        SSL_free(connection)
        let made = SSL_new(context)!
        connection = made
        let (input, output) = (BIO_new(BIO_s_mem())!, BIO_new(BIO_s_mem())!)
        SSL_set_bio(made, input, output)
        SSL_set_connect_state(made)
        while SSL_do_handshake(made) != 1 {
            let answer = exchange(taken(from: output))
            precondition(BIO_write(input, answer, CInt(answer.count)) == answer.count)
        }
        words = taken(from: output)
        bounds = [words.count]
        for text in [Self.text[..<100], Self.text[100...]] {
            precondition(Array(text).withUnsafeBytes { SSL_write(made, $0.baseAddress, CInt($0.count)) } > 0)
            words += taken(from: output)
            bounds.append(words.count)
        }
        SSL_shutdown(made)
        words += taken(from: output)
    }

    private func taken(from output: OpaquePointer) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = BIO_read(output, &bytes, CInt(bytes.count))
        return Array(bytes.prefix(max(Int(count), 0)))
    }

    /// What is left to be said, cut at some of the places.
    func pieces(cutBy cuts: Int) -> [[UInt8]] {
        let places = [bounds[0] / 2, bounds[0], bounds[0] + 3, bounds[0] + 60, bounds[1], bounds[1] + 7, bounds[2]]
        var pieces: [[UInt8]] = []
        var start = 0
        for (index, place) in places.enumerated() where cuts & 1 << index != 0 {
            pieces.append(Array(words[start..<place]))
            start = place
        }
        return pieces + [Array(words[start...])]
    }

    /// The words that come next.
    func words(from start: Int, _ count: Int) -> ArraySlice<UInt8> { words[start..<start + count] }
}

/// One connection, from the handshake's last message on; what is done with it is as in the sessions of the program.
private final class ScheduleBench {
    let app: Peer
    var end: String { app.end.map { "an end (\($0))" } ?? "nothing" }
    private let loop: EventLoop
    private let workspace: RelayWorkspace
    private let reader: ScheduleTests.Reader
    private let client: ScheduledClient
    private let clientSide: Descriptor
    private let channel: TLSChannel
    private let downstream: WatchedSocket
    private let upstream: WatchedSocket
    private let context: TLSContext
    private var isOpen = false
    private var isAppThere = false
    private var isAppWanted: Bool
    private var duplex: Duplex?
    private let half = HalfDuplex(.toUpstream)
    private var position = 0
    private static let preamble = Array("preamble".utf8)

    init(
        _ context: TLSContext, _ client: ScheduledClient, _ reader: ScheduleTests.Reader, on loop: EventLoop,
        in workspace: RelayWorkspace, _ tls: TLSWorkspace
    ) throws {
        self.context = context
        self.client = client
        self.reader = reader
        self.loop = loop
        self.workspace = workspace
        isAppWanted = reader != .relayAfterFirstByte
        // Unlike over TCP, what was sent has arrived.
        let (outer, server) = try Self.pair()
        let (inner, far) = try Self.pair()
        clientSide = Descriptor(owning: outer)
        channel = TLSChannel(in: tls)
        downstream = try WatchedSocket(Socket(owning: Descriptor(owning: server)).through(channel), on: loop)
        upstream = try WatchedSocket(Socket(owning: Descriptor(owning: inner)), on: loop)
        app = Peer(Socket(owning: Descriptor(owning: far)))
        downstream.onReady = { [unowned self] in ready($0) }
        client.connect { words in
            _ = words.withUnsafeBytes { send(clientSide.number, $0.baseAddress, $0.count, 0) }
            loop.runOnce()
            var bytes = [UInt8](repeating: 0, count: 1 << 16)
            let count = recv(clientSide.number, &bytes, bytes.count, 0)
            precondition(count > 0, "the server has nothing to say")
            return Array(bytes.prefix(max(count, 0)))
        }
    }

    deinit { half.abandon(in: workspace) }

    private static func pair() throws -> (CInt, CInt) {
        var numbers: [CInt] = [0, 0]
        guard socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &numbers) == 0 else {
            throw SystemError("socketpair")
        }
        return (numbers[0], numbers[1])
    }

    func take(_ step: ScheduleTests.Step) {
        switch step {
        case .segment(let count):
            let words = client.words(from: position, count)
            position += count
            precondition(words.withUnsafeBytes { send(clientSide.number, $0.baseAddress, $0.count, 0) } == count)
        case .turn: loop.runOnce()
        case .app: isAppThere = true
        }
        begin()
    }

    /// Whether nothing is left when nothing happens any more.
    func bringsEverything() -> Bool {
        for _ in 0..<6 {
            loop.runOnce()
            begin()
            app.read()
        }
        guard reader != .smallReads else { return received == ScheduledClient.text && half.hasSourceEnded }
        let preamble = reader == .relayWithPreamble ? Self.preamble : []
        return app.received == preamble + ScheduledClient.text && app.end == 0
    }

    private func ready(_ readiness: IOEvent.Readiness) {
        guard !isOpen else { return openReady(readiness) }
        guard case .done = channel.handshake(on: downstream.socket, with: context) else { return }
        isOpen = true
        openReady(channel.mayHaveMore ? .readable : [])
    }

    private func openReady(_ readiness: IOEvent.Readiness) {
        if reader == .smallReads, isAppThere { return read(readiness) }
        downstream.unusedReadiness.formUnion(readiness)
        if !isAppWanted, !readiness.isEmpty, downstream.socket.unread == .something { isAppWanted = true }
        begin()
    }

    private func begin() {
        guard isOpen, isAppThere, isAppWanted, duplex == nil else { return }
        if reader == .smallReads { return read(downstream.takeUnusedReadiness()) }
        let duplex = Duplex(downstream: downstream, upstream: upstream, in: workspace)
        self.duplex = duplex
        let preamble = reader == .relayWithPreamble ? Self.preamble : []
        duplex.start(with: preamble.span)
    }

    private var received: [UInt8] = []

    private func read(_ readiness: IOEvent.Readiness) {
        half.noteSource(readiness)
        while half.mayReceive {
            if case .moved(let count) = half.receive(from: downstream.socket, upTo: 7, in: workspace) {
                workspace.withReceived(count) { for index in $0.indices { received.append($0[index]) } }
            }
        }
    }
}
