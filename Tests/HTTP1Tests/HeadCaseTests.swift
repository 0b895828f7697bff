import HTTP1
import Testing

/// What a request head means, in the words of requests.cases.
func outcome(ofRequest bytes: [UInt8], fed feeding: Feeding = .whole) -> String {
    var parser = RequestParser()
    var progress = HeadProgress<RequestFault>.incomplete
    for length in feeding.lengths(of: bytes.count) where progress == .incomplete {
        progress = parser.parse(bytes.span.extracting(0..<length))
    }
    switch progress {
    case .incomplete: return "incomplete"
    case .invalid(let fault): return "refused \(fault.status) \(name(of: fault))"
    case .complete(let length):
        #expect(length == parser.head.length)
        let head = parser.head
        let version = head.version == .http10 ? "HTTP/1.0" : "HTTP/1.1"
        var words = ["accepted", Case.escaped(bytes[head.methodRange]), Case.escaped(bytes[head.targetRange]), version]
        if let host = head.hostRange { words.append("host=\(Case.escaped(bytes[host]))") }
        words += [text(of: head.framing), head.keepsAlive ? "keeps" : "closes"]
        if head.expectsContinue { words.append("expects") }
        if head.upgrade != .none { words.append("upgrade=\(head.upgrade)") }
        return words.joined(separator: " ")
    }
}

/// What a response head means, in the words of responses.cases.
func outcome(ofResponse bytes: [UInt8], to method: HTTP1.Method, fed feeding: Feeding = .whole) -> String {
    var parser = ResponseParser(answering: method)
    var progress = HeadProgress<ResponseFault>.incomplete
    for length in feeding.lengths(of: bytes.count) where progress == .incomplete {
        progress = parser.parse(bytes.span.extracting(0..<length))
    }
    switch progress {
    case .incomplete: return "incomplete"
    case .invalid(let fault): return "refused \(name(of: fault))"
    case .complete(let length):
        #expect(length == parser.head.length)
        let head = parser.head
        let version = head.version == .http10 ? "HTTP/1.0" : "HTTP/1.1"
        var words = ["accepted", version, "\(head.status)", Case.escaped(bytes[head.reasonRange])]
        words += [text(of: head.framing), head.keepsAlive ? "keeps" : "closes"]
        if head.isInformational { words.append("informational") }
        if head.switchesProtocols { words.append("switches") }
        return words.joined(separator: " ")
    }
}

private func name(of fault: RequestFault) -> String {
    switch fault {
    case .field(let fault): "\(fault)"
    case .framing(let fault): "\(fault)"
    default: "\(fault)"
    }
}

private func name(of fault: ResponseFault) -> String {
    switch fault {
    case .field(let fault): "\(fault)"
    case .framing(let fault): "\(fault)"
    default: "\(fault)"
    }
}

private func text(of framing: BodyFraming) -> String {
    switch framing {
    case .none: "none"
    case .length(let length): "length=\(length)"
    case .chunked: "chunked"
    case .untilClose: "untilClose"
    }
}

/// The cases of requests.cases and responses.cases, each fed whole, byte by byte, and split at every place.
@Suite struct HeadCaseTests {
    @Test(arguments: Case.all(in: "requests.cases"))
    func request(_ item: Case) {
        // Outcomes are written with the same escapes, so both sides go through them.
        for feeding in Feeding.all(for: item.bytes.count) {
            let outcome = outcome(ofRequest: item.bytes, fed: feeding)
            guard outcome == item.outcome else {
                Issue.record("\(item.name), \(feeding): \(outcome), not \(item.outcome)")
                return
            }
        }
    }

    @Test(arguments: Case.all(in: "responses.cases"))
    func response(_ item: Case) {
        let method: HTTP1.Method = item.options == ["answering HEAD"] ? .head : .get
        for feeding in Feeding.all(for: item.bytes.count) {
            let outcome = outcome(ofResponse: item.bytes, to: method, fed: feeding)
            guard outcome == item.outcome else {
                Issue.record("\(item.name), \(feeding): \(outcome), not \(item.outcome)")
                return
            }
        }
    }

    @Test func thereAreEnoughOfThem() {
        let names = ["requests.cases", "responses.cases", "chunked.cases"].flatMap { Case.all(in: $0).map(\.name) }
        #expect(names.count >= 300)
    }
}
