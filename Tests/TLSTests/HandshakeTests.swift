import COpenSSL
import EventLoop
import Glibc
import Network
import TLS
import TestSupport
import Testing

@Suite struct HandshakeTests {
    let authority = TestAuthority()

    @Test(arguments: [
        ("localhost", "first"), ("b.example", "second"), ("B.EXAMPLE", "second"), ("www.b.example", "second"),
        ("a.www.b.example", "first"), ("unknown.example", "first"), (nil, "first"), ("rsa.example", "third"),
    ])
    func theNameThatTheClientGivesDecides(name: String?, expected: String) throws {
        let context = try authority.context([
            .init(name: "first", hosts: ["localhost"]), .init(name: "second", hosts: ["b.example", "*.b.example"]),
            .init(name: "third", hosts: ["rsa.example"], usesRSA: true),
        ])
        let bench = try Bench(context, .init(serverName: name))
        #expect(try bench.connect())
        #expect(bench.client.peerName == expected)
        #expect(bench.details?.serverName == name)
    }

    @Test func theKindOfKeyThatTheClientKnowsIsTaken() throws {
        let context = try authority.context([.init(name: "curve"), .init(name: "rsa", usesRSA: true)])
        for (ciphers, expected) in [("ECDHE-RSA-AES128-GCM-SHA256", "rsa"), ("ECDHE-ECDSA-AES128-GCM-SHA256", "curve")]
        {
            let bench = try Bench(context, .init(version: TLS1_2_VERSION))
            SSL_set_cipher_list(bench.client.connection, ciphers)
            #expect(try bench.connect())
            #expect(bench.client.peerName == expected)
            #expect(bench.details?.cipher == ciphers)
        }
    }

    @Test(arguments: [TLS1_VERSION, TLS1_1_VERSION]) func oldVersionsAreRefused(version: CInt) throws {
        let bench = try Bench(authority.context(), .init(version: version))
        #expect(try bench.run(until: { bench.fault != nil && bench.client.end != nil }))
        #expect(bench.fault == .refused("unsupported protocol"))
        #expect(bench.client.failure == "tlsv1 alert protocol version")
    }

    @Test(arguments: [["h2", "http/1.1"], ["http/1.1"], ["http/1.0"], []])
    func whatBothSpeakIsAgreedOn(offer: [String]) throws {
        let bench = try Bench(authority.context(protocols: ["http/1.1", "http/1.0"]), .init(protocols: offer))
        #expect(try bench.connect())
        #expect(bench.details?.applicationProtocol == offer.last)
    }

    /// A client that has not said enough costs what it has said, and nothing more.
    @Test func nothingIsMadeForWhoHasSaidHalfAHello() throws {
        let (clientSide, serverSide) = try Peer.sockets()
        let client = clientSide.take()!
        let server = serverSide.take()!
        let channel = TLSChannel(in: TLSWorkspace())
        let context = try authority.context()
        var asked = 0
        func goOn(with bytes: [UInt8]) -> TLSChannel.Handshake {
            #expect(send(client.number, bytes, bytes.count, 0) == bytes.count)
            return channel.handshake(
                on: server,
                with: {
                    asked += 1
                    return context
                }())
        }
        // The header says that 256 bytes follow.
        for piece in [[22], [3, 1], [1, 0], [UInt8](repeating: 9, count: 255)] {
            guard case .waiting = goOn(with: piece) else {
                Issue.record("the handshake did not wait for the rest")
                return
            }
            #expect(channel.hasBegun && asked == 0)
        }
        guard case .failed(.refused) = goOn(with: [9]) else {
            Issue.record("these 256 bytes are no hello")
            return
        }
        #expect(asked == 1)
    }

    @Test func whoSpeaksNoneOfTheProtocolsIsRefused() throws {
        let bench = try Bench(authority.context(protocols: ["http/1.1"]), .init(protocols: ["h2"]))
        #expect(try bench.run(until: { bench.client.end != nil }))
        #expect(bench.client.failure == "tlsv1 alert no application protocol")
        // Where nothing is asked for, any offer will do.
        let other = try Bench(authority.context(), .init(protocols: ["h2"]))
        #expect(try other.connect())
        #expect(other.details?.applicationProtocol == nil)
    }

    @Test func whatIsNoTLSIsNamed() throws {
        for (text, expected) in [
            ("GET / HTTP/1.1\r\n\r\n", HandshakeFault.plainHTTP),
            ("SSH-2.0-OpenSSH_9.2\r\n", .refused("wrong version number")),
        ] {
            let bench = try Bench(authority.context())
            bench.client.sendPlainly(text)
            #expect(try bench.loop.run(until: { bench.fault != nil }))
            #expect(bench.fault == expected)
        }
    }

    @Test func aHandshakeMayComeByteByByte() throws {
        let bench = try Bench(authority.context())
        bench.client.sendPlainly("\u{16}")
        for _ in 0..<5 { bench.loop.runOnce() }
        #expect(bench.fault == nil)
        bench.client.close()
        #expect(try bench.loop.run(until: { bench.fault != nil }))
        #expect(bench.fault == .clientLeft)
    }

    // MARK: Clients' certificates

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION]) func whoHasACertificateIsKnown(version: CInt) throws {
        let own = authority.issue("client", .init(name: "alice", hosts: [], organization: "Example, Inc\u{e9}"))
        for mode in [
            TLSServerSettings.ClientCertificates.required(authorities: authority.path),
            .optional(authorities: authority.path),
        ] {
            let bench = try Bench(
                authority.context(clients: mode), .init(version: version, certificate: own))
            #expect(try bench.connect())
            let known = try #require(bench.details?.clientCertificate)
            #expect(known.commonName == "alice")
            #expect(known.subject == "O=Example\\, Inc\\C3\\A9,CN=alice")
            #expect(known.fingerprint.utf8.count == 64)
        }
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION]) func whoHasNoneIsRefusedWhereItIsRequired(version: CInt) throws {
        let required = try authority.context(clients: .required(authorities: authority.path))
        let bench = try Bench(required, .init(version: version))
        #expect(try bench.run(until: { bench.fault != nil && bench.client.end != nil }))
        #expect(bench.fault == .clientCertificate("it has shown none"))
        #expect(bench.client.failure?.contains("alert") == true)
        let optional = try authority.context(clients: .optional(authorities: authority.path))
        let other = try Bench(optional, .init(version: version))
        #expect(try other.connect())
        #expect(other.details != nil && other.details?.clientCertificate == nil)
    }

    @Test(arguments: [true, false]) func whoseAuthorityIsUnknownIsRefused(isRequired: Bool) throws {
        let another = TestAuthority("Another")
        let stranger = another.issue("client", .init(name: "mallory", hosts: []))
        let mode: TLSServerSettings.ClientCertificates =
            isRequired ? .required(authorities: authority.path) : .optional(authorities: authority.path)
        let bench = try Bench(authority.context(clients: mode), .init(certificate: stranger))
        #expect(try bench.run(until: { bench.fault != nil }))
        #expect(bench.fault == .clientCertificate("unable to get local issuer certificate"))
        withExtendedLifetime(another) {}
    }

    // MARK: Tickets

    /// Connects, and takes the session that the server leaves with the client.
    private func session(
        _ context: TLSContext, _ version: CInt, _ session: OpaquePointer? = nil, certificate: TestAuthority.Files? = nil
    ) throws -> (isResumed: Bool, OpaquePointer?) {
        let bench = try Bench(context, .init(version: version, certificate: certificate, session: session))
        #expect(try bench.connect())
        // The tickets of TLS 1.3 come behind the handshake.
        #expect(bench.app.send("x".utf8) == 1)
        #expect(try bench.run(until: { bench.client.received.count == 1 }))
        let isResumed = SSL_session_reused(bench.client.connection) == 1
        #expect(bench.details?.isResumed == isResumed)
        bench.client.finishSending()
        return (isResumed, SSL_get1_session(bench.client.connection))
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION]) func sessionsAreResumedAcrossARotation(version: CInt) throws {
        let tickets = TicketKeys()
        let context = try authority.context(tickets: tickets)
        let (isResumed, first) = try session(context, version)
        #expect(!isResumed)
        // Another context, as after a change of the files, has the same keys.
        let renewed = try authority.context(tickets: tickets)
        let (again, _) = try session(renewed, version, first)
        #expect(again)
        tickets.rotate()
        let (afterOne, second) = try session(renewed, version, first)
        #expect(afterOne)
        tickets.rotate()
        let (withOldTicket, _) = try session(renewed, version, first)
        #expect(!withOldTicket)
        // The one that came with the resumption was sealed with the new key.
        let (withNewTicket, _) = try session(renewed, version, second)
        #expect(withNewTicket)
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func aTicketFromWhereNoCertificateIsAskedForIsWorthNothingElsewhere(version: CInt) throws {
        let tickets = TicketKeys()
        let (_, ticket) = try session(authority.context(tickets: tickets), version)
        let strict = try authority.context(clients: .required(authorities: authority.path), tickets: tickets)
        let bench = try Bench(strict, .init(version: version, session: ticket))
        #expect(try bench.run(until: { bench.fault != nil || bench.details != nil }))
        #expect(bench.details == nil)
    }

    /// However often the client comes back, and gets another ticket.
    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func aTicketStandsInForACertificateForAnHour(version: CInt) throws {
        let clock = TestClock()
        let context = try authority.context(
            clients: .required(authorities: authority.path), clock: { clock.seconds })
        let own = authority.issue("client", .init(name: "alice", hosts: []))
        var (isResumed, ticket) = try session(context, version, certificate: own)
        #expect(!isResumed)
        for (minutes, expected) in [(40, true), (80, false), (120, true), (160, false)] {
            clock.seconds = clock.start + 60 * minutes
            (isResumed, ticket) = try session(context, version, ticket, certificate: own)
            #expect(isResumed == expected, "after \(minutes) minutes")
        }
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func aTicketIsNoBetterThanTheCertificateThatItStandsFor(version: CInt) throws {
        let clock = TestClock()
        let context = try authority.context(
            clients: .optional(authorities: authority.path), clock: { clock.seconds })
        let own = authority.issue("client", .init(name: "alice", hosts: [], validity: -3600...1800))
        let (_, ticket) = try session(context, version, certificate: own)
        clock.seconds = clock.start + 1700
        #expect(try session(context, version, ticket, certificate: own).isResumed)
        clock.seconds = clock.start + 1900
        #expect(try !session(context, version, ticket, certificate: own).isResumed)
        // Nor is who has shown none let down.
        let (_, other) = try session(context, version)
        clock.seconds = clock.start + 9000
        #expect(try session(context, version, other).isResumed)
    }
}

/// A clock that a test sets.
private final class TestClock: @unchecked Sendable {
    let start = time(nil)
    var seconds = time(nil)
}
