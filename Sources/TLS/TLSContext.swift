internal import COpenSSL
internal import EventLoop
internal import Glibc

/// Certificates with their keys, ready to be used by connections: what one reading of the files has brought.
///
/// It never changes, and any number of threads may use it; a connection keeps the one that it began with.
public final class TLSContext: Sendable {
    /// One for each certificate; OpenSSL only reads them from now on.
    nonisolated(unsafe) private let contexts: [OpaquePointer]
    /// The functions by which the connections read and write.
    let method: TLSBIOMethod
    /// The index of the one for a host name.
    private let hosts: HostNames
    let tickets: TicketKeys
    let protocols: [[UInt8]]
    let clock: @Sendable () -> Int

    /// Reads the files and sees that they fit together.
    /// - Throws: ``TLSFault`` that says what is wrong with one of them.
    /// - Parameter clock: the time by which clients' certificates are judged, in seconds since 1970; the system's where
    ///   it is nil.
    public init(
        _ settings: TLSServerSettings, tickets: TicketKeys, clock: (@Sendable () -> Int)? = nil
    ) throws(TLSFault) {
        guard TLSLibrary.start(), let method = TLSBIOMethod() else { throw .outOfMemory }
        self.method = method
        self.clock = clock ?? { time(nil) }
        var builder = TLSContextBuilder(settings)
        try builder.build()
        self.tickets = tickets
        protocols = settings.protocols.map { Array($0.utf8) }
        hosts = builder.hosts
        contexts = builder.takeContexts()
        for context in contexts { setCallbacks(context) }
        if settings.clientCertificates != .notAsked {
            for context in contexts { ClientTickets.setCallbacks(context) }
        }
    }

    deinit {
        for context in contexts { SSL_CTX_free(context) }
    }

    /// The one with which a connection begins; the client's word on the host may lead it to another.
    var first: OpaquePointer { contexts[0] }

    /// The one for a host name, if there is one.
    func context(for host: String) -> OpaquePointer? {
        hosts.index(of: host).map { contexts[$0] }
    }

    private func setCallbacks(_ context: OpaquePointer) {
        copenssl_on_server_name(
            context,
            { connection, _, _ in
                guard let connection, let name = SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name),
                    let own = TLSRecords.of(connection)?.context,
                    let context = own.context(for: String(cString: name))
                else { return SSL_TLSEXT_ERR_OK }
                // Without memory for it, the client would be shown another host's certificate.
                return SSL_set_SSL_CTX(connection, context) == nil ? SSL_TLSEXT_ERR_ALERT_FATAL : SSL_TLSEXT_ERR_OK
            }, nil)
        copenssl_on_ticket(context) { connection, name, vector, cipher, seal, isNew in
            guard let connection, let name, let vector, let cipher, let seal,
                let tickets = TLSRecords.of(connection)?.context?.tickets
            else { return -1 }
            let result = tickets.prepare(name: name, vector: vector, cipher: cipher, seal: seal, isNew: isNew == 1)
            // Clients of TLS 1.3 use a ticket once (RFC 8446 appendix C.4), and want another for the next time.
            return isNew == 0 && result == 1 && SSL_version(connection) == TLS1_3_VERSION ? 2 : result
        }
        guard !protocols.isEmpty else { return }
        SSL_CTX_set_alpn_select_cb(
            context,
            { connection, choice, length, offer, offerLength, _ in
                guard let connection, let choice, let length, let offer,
                    let own = TLSRecords.of(connection)?.context
                else { return SSL_TLSEXT_ERR_ALERT_FATAL }
                let offered = UnsafeBufferPointer(start: offer, count: Int(offerLength))
                // A client that speaks none of them has nothing to say here (RFC 7301 section 3.2).
                guard let range = own.range(in: offered) else { return SSL_TLSEXT_ERR_ALERT_FATAL }
                choice.pointee = offer + range.lowerBound
                length.pointee = UInt8(range.count)
                return SSL_TLSEXT_ERR_OK
            }, nil)
    }

    /// The range of the first of our protocols in a client's offer, in which each has its length before it.
    private func range(in offer: UnsafeBufferPointer<UInt8>) -> Range<Int>? {
        for name in protocols {
            var start = 0
            while start < offer.count {
                let range = start + 1..<min(start + 1 + Int(offer[start]), offer.count)
                if range.count == name.count, zip(range, name).allSatisfy({ offer[$0] == $1 }) { return range }
                start = range.upperBound
            }
        }
        return nil
    }
}
