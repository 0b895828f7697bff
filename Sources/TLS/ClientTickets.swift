internal import COpenSSL

/// Tickets of clients with certificates. What a ticket says of its client was found out once, and each connection that goes on
/// by it gets another one: so each says when the certificate was shown, and is good for a while from then on.
enum ClientTickets {
    /// In seconds.
    private static let lifetime = Int(TicketKeys.lifetime.components.seconds)

    /// Has a context look at the tickets that it takes (SSL_CTX_set_session_ticket_cb(3)).
    static func setCallbacks(_ context: OpaquePointer) {
        SSL_CTX_set_session_ticket_cb(
            context,
            { connection, _ in
                guard let connection, let session = SSL_get_session(connection),
                    let own = TLSRecords.of(connection)?.context
                else { return 0 }
                // One that goes on has it from where it began.
                if ClientTickets.shownAt(session) != nil { return 1 }
                var now = Int64(own.clock())
                return SSL_SESSION_set1_ticket_appdata(session, &now, MemoryLayout<Int64>.size)
            },
            { connection, session, _, _, status, _ in
                switch status {
                case SSL_TICKET_SUCCESS, SSL_TICKET_SUCCESS_RENEW:
                    guard let connection, let session, let own = TLSRecords.of(connection)?.context,
                        ClientTickets.isGood(session, at: own.clock())
                    else { return SSL_TICKET_RETURN_IGNORE_RENEW }
                    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW
                default: return SSL_TICKET_RETURN_IGNORE_RENEW
                }
            }, nil)
    }

    private static func isGood(_ session: OpaquePointer, at now: Int) -> Bool {
        // Who has shown none has nothing that could become bad.
        guard let certificate = SSL_SESSION_get0_peer(session) else { return true }
        var time = now
        guard X509_cmp_time(X509_get0_notAfter(certificate), &time) > 0, let shown = shownAt(session)
        else { return false }
        return (0...lifetime).contains(now - Int(shown))
    }

    private static func shownAt(_ session: OpaquePointer) -> Int64? {
        var data: UnsafeMutableRawPointer?
        var count = 0
        guard SSL_SESSION_get0_ticket_appdata(session, &data, &count) == 1, let data, count == MemoryLayout<Int64>.size
        else { return nil }
        return data.loadUnaligned(as: Int64.self)
    }
}
