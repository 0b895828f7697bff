internal import HTTP1
internal import Relay

/// A message's body as the relay's copy loop sees it: how many bytes it may move unseen, and where it must look.
struct BodyFrame: StreamFraming {
    private var scanner: BodyScanner
    private let framing: BodyFraming
    /// Whether it is sent in chunks, though it does not come in any.
    let isPutInChunks: Bool
    private let mostAhead: Int
    private var hasTakenTrailers = false
    private(set) var hasEnded: Bool
    /// The bytes received beyond the end of the body.
    private(set) var surplus: [UInt8] = []

    /// - Parameter mostAhead: the most that one receive may take where it is not known how much belongs to the body.
    init(_ framing: BodyFraming, output: BodyOutput = .sameFraming, mostAhead: Int = .max) {
        scanner = BodyScanner(framing, output: output)
        self.framing = framing
        isPutInChunks = output == .inChunks
        self.mostAhead = mostAhead
        hasEnded = framing == .none
    }

    /// The body's own bytes so far.
    var payloadBytes: UInt64 { scanner.payloadBytes }

    /// Whether the end of the connection is the regular end of the body.
    var endsWithConnection: Bool { scanner.endsWithConnection }

    // MARK: StreamFraming

    var plainBytesAhead: UInt64 { scanner.plainBytesAhead }

    var readLimit: Int {
        switch framing {
        case .none: 0
        case .length: Int(clamping: scanner.plainBytesAhead)
        case .chunked: mostAhead
        case .untilClose: .max
        }
    }

    mutating func advance(by count: UInt64) {
        scanner.advance(by: count)
        if case .length = framing, scanner.plainBytesAhead == 0 { hasEnded = true }
    }

    mutating func scan(_ bytes: Span<UInt8>, from start: Int) -> StreamStep {
        let step = scanner.scan(bytes, from: start)
        switch step.outcome {
        case .goesOn: return StreamStep(pass: step.pass, next: step.next, outcome: .goesOn)
        case .ended:
            hasEnded = true
            return StreamStep(pass: step.pass, next: step.next, outcome: .ended)
        case .invalid: return StreamStep(pass: step.pass, next: step.next, outcome: .invalid)
        }
    }

    mutating func keep(_ surplus: Span<UInt8>) {
        self.surplus.append(contentsOf: surplus)
    }

    // MARK: Around the copy loop

    /// Takes out what was received beyond the end of the body.
    mutating func takeSurplus() -> [UInt8] {
        let taken = surplus
        surplus = []
        return taken
    }

    /// Ends the body with the connection, which has ended.
    mutating func endWithConnection() {
        precondition(endsWithConnection)
        hasEnded = true
    }

    /// Whether ``takeTrailers()`` has anything to bring.
    var owesTrailers: Bool { hasEnded && !hasTakenTrailers && (framing == .chunked || isPutInChunks) }

    /// Takes the bytes to be sent once the body has ended, behind everything else; empty the second time.
    mutating func takeTrailers() -> [UInt8] {
        guard hasEnded, !hasTakenTrailers else { return [] }
        hasTakenTrailers = true
        return isPutInChunks ? Chunk.last : scanner.trailerSection
    }

    /// Looks at the bytes that have come together with the head.
    /// - Parameters:
    ///   - start: the index at which the body begins.
    ///   - output: gets the bytes to be passed on, except for the last part that stands in one piece.
    /// - Returns: that last part, and where the body ends or the bytes do; nil where it can't be a body.
    mutating func scanBeginning(
        _ bytes: Span<UInt8>, from start: Int, into output: inout [UInt8]
    ) -> (pass: Range<Int>, next: Int)? {
        var pass = start..<start
        var position = start
        while position < bytes.count, !hasEnded {
            let step = scan(bytes, from: position)
            if case .invalid = step.outcome { return nil }
            if !step.pass.isEmpty {
                output.append(contentsOf: bytes.extracting(pass))
                pass = step.pass
            }
            position = step.next
        }
        if isPutInChunks, !pass.isEmpty {
            Chunk.begin(pass.count, into: &output)
            output.append(contentsOf: bytes.extracting(pass))
            output += Chunk.end
            pass = position..<position
        }
        let trailers = takeTrailers()
        if !trailers.isEmpty {
            output.append(contentsOf: bytes.extracting(pass))
            output += trailers
            pass = position..<position
        }
        return (pass, position)
    }
}

extension [UInt8] {
    mutating func append(contentsOf bytes: Span<UInt8>) {
        guard !bytes.isEmpty else { return }
        append(addingCapacity: bytes.count) { output in
            for index in bytes.indices { output.append(bytes[index]) }
        }
    }
}
