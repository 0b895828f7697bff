import COpenSSL
import Foundation
import TLS
import Testing

/// Memory that OpenSSL asks for and does not get ends one connection, or keeps one context from being made.
///
/// Each test has a process of its own (``FailingAllocations``).
@Suite struct AllocationTests {
    @Test func everyFailedAllocationEndsOneConnectionOnly() async {
        let notes = Notes()
        await #expect(processExitsWith: .success) { [path = notes.path as String] in
            FailingAllocations.install(notesIn: path)
            try everyAllocationFailsOnceInAConversation()
        }
        notes.tell()
    }

    @Test func everyFailedAllocationKeepsAContextFromBeingMade() async {
        let notes = Notes()
        await #expect(processExitsWith: .success) { [path = notes.path as String] in
            FailingAllocations.install(notesIn: path)
            try everyAllocationFailsOnceInAContext()
        }
        notes.tell()
    }
}

/// What the process has to say, above all when it ends in the middle.
private struct Notes {
    let path = NSTemporaryDirectory() + "loopbridge-allocations-\(UUID().uuidString)"

    func tell() {
        print((try? String(contentsOfFile: path, encoding: .utf8)) ?? "", terminator: "")
        try? FileManager.default.removeItem(atPath: path)
    }
}

private func everyAllocationFailsOnceInAConversation() throws {
    var choice = AllocationChoice()
    let authority = TestAuthority()
    let context = try authority.context(
        [.init(), .init(name: "b.example", hosts: ["b.example"])], clients: .required(authorities: authority.path),
        protocols: ["http/1.1"])
    let certificate = authority.issue("client", .init(name: "alice", hosts: []))
    let workspace = TLSWorkspace()
    for version in [TLS1_3_VERSION, TLS1_2_VERSION] {
        var options = TestClient.Options(
            serverName: "b.example", version: version, protocols: ["http/1.1"], certificate: certificate)
        for isResumed in [false, true] {
            // Which makes what is made once.
            let before = Conversation(context, workspace, options)
            require(before.take(nil) == .whole)
            if isResumed { options.session = before.session }
            let first = Conversation(context, workspace, options)
            let outcome = first.take(nil)
            require(outcome == .whole, "\(outcome) without a fault")
            require(first.details?.isResumed == isResumed, "\(String(describing: first.details))")
            let total = FailingAllocations.asked
            require(total > 50, "there are more allocations than \(total)")
            var failed = (whole: 0, brokenOff: 0)
            for failsOn in [false, true] {
                // All of those at the handshake's end, where it is found out who the client is.
                let last = failsOn ? 0..<0 : max(first.askedInHandshake - 60, 0)..<first.askedInHandshake
                for index in Array(choice.indexes(of: total, about: 50)) + last {
                    let outcome = Conversation(context, workspace, options)
                        .take(.init(granted: index, failsOn: failsOn), expecting: first.details)
                    let place = "allocation \(index)\(failsOn ? " and all after it" : "")"
                    // The numbers differ a little from one connection to the next.
                    if FailingAllocations.refused == 0 {
                        require(index > total * 9 / 10, "\(place) of \(total) was not come to")
                        continue
                    }
                    switch outcome {
                    case .whole: failed.whole += 1
                    case .brokenOff: failed.brokenOff += 1
                    case .wrong(let reason): require(false, "\(place): \(reason)")
                    }
                    // Whoever comes next is served.
                    let next = Conversation(context, workspace, options).take(nil, expecting: first.details)
                    require(next == .whole, "\(place): the next one: \(next)")
                }
            }
            let kind = "\(version == TLS1_3_VERSION ? "TLS 1.3" : "TLS 1.2")\(isResumed ? ", resumed" : "")"
            note("\(kind): \(failed.brokenOff) connections broken off, \(failed.whole) not, of \(total) allocations")
            require(failed.brokenOff > 30, "injected failures end connections: \(failed)")
        }
    }
}

private func everyAllocationFailsOnceInAContext() throws {
    var choice = AllocationChoice()
    let authority = TestAuthority()
    let files = [authority.issue("one"), authority.issue("two", .init(hosts: ["b.example"], usesRSA: true))]
    let settings = TLSServerSettings(
        pairs: files.map { .init(certificate: $0.certificate, key: $0.key) },
        clientCertificates: .required(authorities: authority.path), protocols: ["http/1.1"])
    let tickets = TicketKeys()
    func make(_ plan: FailingAllocations.Plan?) -> TLSFault? {
        FailingAllocations.begin(plan)
        // It is freed where nothing fails.
        let made: Result<TLSContext, TLSFault> = FailingAllocations.armed {
            do throws(TLSFault) { return .success(try TLSContext(settings, tickets: tickets)) } catch {
                return .failure(error)
            }
        }
        return if case .failure(let fault) = made { fault } else { nil }
    }
    // The first one makes what is made once.
    require(make(nil) == nil)
    require(make(nil) == nil)
    let total = FailingAllocations.asked
    require(total > 50, "there are more allocations than \(total)")
    var refusals = 0
    for failsOn in [false, true] {
        for index in choice.indexes(of: total, about: 150) {
            let fault = make(.init(granted: index, failsOn: failsOn))
            let place = "allocation \(index)\(failsOn ? " and all after it" : "") of \(total)"
            require(FailingAllocations.refused > 0, "\(place) was not come to")
            require(fault?.part == .memory, "\(place): \(fault?.description ?? "a context that lacks something")")
            refusals += 1
            let next = make(nil)
            require(next == nil, "\(place): the next one: \(next?.description ?? "")")
        }
    }
    note("\(refusals) contexts refused, of \(total) allocations")
    require(refusals > 90)
}
