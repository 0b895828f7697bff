internal import CLibevent
internal import Glibc

/// A small HTTP/1.1 server on libevent's evhttp, for the program's own pages: never for the traffic it carries.
///
/// Answers GET and HEAD; everything else gets 405. However many clients come and whatever they do, it keeps at most
/// ``HTTPServer/mostConnections`` open, reads at most 16 KiB of a request, and closes those that are slow. Belongs to its
/// loop's thread.
public final class HTTPServer {
    /// What a client asks for.
    public struct Request: Sendable {
        /// The path as sent, not decoded.
        public let path: String
        /// What stands behind the path's question mark, not decoded; nil where there is none.
        public let query: String?
        /// The client's IP address as text, with a zone where it has one. Of no meaning for a Unix socket.
        public let peer: String
        private let fields: [(name: String, value: String)]

        init(_ request: OpaquePointer) {
            let uri = evhttp_request_get_evhttp_uri(request)
            path = uri.flatMap { evhttp_uri_get_path($0) }.map { String(cString: $0) } ?? ""
            query = uri.flatMap { evhttp_uri_get_query($0) }.map { String(cString: $0) }
            var address: UnsafeMutablePointer<CChar>?
            var port: UInt16 = 0
            if let connection = evhttp_request_get_connection(request) {
                evhttp_connection_get_peer(connection, &address, &port)
            }
            peer = address.map { String(cString: $0) } ?? ""
            var fields: [(name: String, value: String)] = []
            var field = evhttp_request_get_input_headers(request)?.pointee.tqh_first
            while let current = field {
                fields.append((String(cString: current.pointee.key), String(cString: current.pointee.value)))
                field = current.pointee.next.tqe_next
            }
            self.fields = fields
        }

        /// The value of a header field, whatever its case; several fields of the name are one list. Nil where there is none.
        public func field(_ name: String) -> String? {
            let values = fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
            return values.isEmpty ? nil : values.joined(separator: ", ")
        }
    }

    /// What it gets.
    public struct Response: Sendable {
        public let status: Int
        public let contentType: String
        /// Header fields besides Content-Type and Content-Length.
        public let fields: [(name: String, value: String)]
        /// Left out where the client has only asked for the head.
        public let body: [UInt8]

        public init(
            status: Int = 200, contentType: String, fields: [(name: String, value: String)] = [], body: [UInt8]
        ) {
            self.status = status
            self.contentType = contentType
            self.fields = fields
            self.body = body
        }
    }

    /// Called on the loop's thread, which it must not block. The answer may come later.
    public typealias Handler = (Request, Responder) -> Void

    /// How many connections are open at the most; the next ones wait to be accepted.
    public static let mostConnections = 32

    private static let largestHead = 16 << 10
    /// Seconds without a byte after which a connection is closed.
    private static let silence: CInt = 10

    private let loop: EventLoop
    private let fields: [(name: String, value: String)]
    private let handler: Handler
    private let server: OpaquePointer
    private let connections: HTTPConnections
    /// Answers that are still to be given.
    private var pending: [ObjectIdentifier: Responder.Reference] = [:]

    /// Answers what arrives on a listening socket.
    /// - Parameters:
    ///   - listener: a listening, non-blocking socket; closed with the server.
    ///   - fields: header fields that every answer has.
    /// - Throws: ``SystemError`` when there is no memory, or the socket does not listen.
    public init(
        accepting listener: consuming Descriptor, on loop: EventLoop, fields: [(name: String, value: String)] = [],
        handler: @escaping Handler
    ) throws(SystemError) {
        guard let server = evhttp_new(loop.base) else { throw SystemError("evhttp_new", code: ENOMEM) }
        self.loop = loop
        self.fields = fields
        self.handler = handler
        self.server = server
        do throws(SystemError) {
            connections = try HTTPConnections(atMost: Self.mostConnections, on: loop)
        } catch {
            evhttp_free(server)
            throw error
        }
        let context = Unmanaged.passUnretained(self).toOpaque()
        evhttp_set_gencb(
            server,
            { request, context in
                guard let request, let context else { return }
                Unmanaged<HTTPServer>.fromOpaque(context).takeUnretainedValue().receive(request)
            }, context)
        evhttp_set_bevcb(
            server,
            { _, context in
                guard let context else { return nil }
                return Unmanaged<HTTPServer>.fromOpaque(context).takeUnretainedValue().connections.makeStream()
            }, context)
        // All that evhttp knows: it would answer 501 to those that are not allowed.
        evhttp_set_allowed_methods(server, 0x1FF)
        evhttp_set_max_headers_size(server, Self.largestHead)
        evhttp_set_max_body_size(server, Self.largestHead)
        evhttp_set_timeout(server, Self.silence)
        // From here on libevent owns the descriptor, in success and in failure.
        guard let socket = evhttp_accept_socket_with_handle(server, listener.release()) else {
            throw SystemError("evhttp_accept_socket", code: EINVAL)
        }
        connections.listener = evhttp_bound_socket_get_listener(socket)
    }

    deinit {
        for responder in pending.values { responder.value?.abandon() }
        connections.listener = nil
        evhttp_free(server)
    }

    private func receive(_ request: OpaquePointer) {
        if let connection = evhttp_request_get_connection(request) {
            connections.isAlive(evhttp_connection_get_bufferevent(connection))
        }
        let responder = Responder(request, fields: fields)
        let identifier = ObjectIdentifier(responder)
        pending[identifier] = Responder.Reference(value: responder)
        responder.onEnd = { [unowned self] in pending[identifier] = nil }
        switch evhttp_request_get_command(request) {
        case EVHTTP_REQ_GET, EVHTTP_REQ_HEAD: handler(Request(request), responder)
        default:
            responder.answer(
                Response(
                    status: 405, contentType: "text/plain; charset=utf-8", fields: [("Allow", "GET, HEAD")],
                    body: Array("only GET and HEAD are answered here\n".utf8)))
        }
    }
}
