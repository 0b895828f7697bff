internal import CLibevent
internal import Glibc

/// A small HTTP/1.1 server on libevent's evhttp, for the program's own pages: never for the traffic it carries.
///
/// Answers GET and HEAD; everything else gets 405. Belongs to its loop's thread.
public final class HTTPServer {
    /// What a client asks for.
    public struct Request: Sendable {
        /// The path and query as sent, not decoded.
        public let target: String
    }

    /// What it gets.
    public struct Response: Sendable {
        public let status: Int
        public let contentType: String
        public let body: [UInt8]

        public init(status: Int = 200, contentType: String, body: [UInt8]) {
            self.status = status
            self.contentType = contentType
            self.body = body
        }
    }

    private let loop: EventLoop
    private let handler: (Request) -> Response
    private let server: OpaquePointer

    /// Answers what arrives on a listening socket.
    /// - Parameters:
    ///   - listener: a listening, non-blocking socket; closed with the server.
    ///   - handler: called on the loop's thread; must not block.
    /// - Throws: ``SystemError`` when there is no memory, or the socket does not listen.
    public init(
        accepting listener: consuming Descriptor, on loop: EventLoop, handler: @escaping (Request) -> Response
    ) throws(SystemError) {
        guard let server = evhttp_new(loop.base) else { throw SystemError("evhttp_new", code: ENOMEM) }
        self.loop = loop
        self.handler = handler
        self.server = server
        evhttp_set_gencb(
            server,
            { request, context in
                guard let request, let context else { return }
                Unmanaged<HTTPServer>.fromOpaque(context).takeUnretainedValue().answer(request)
            },
            Unmanaged.passUnretained(self).toOpaque())
        evhttp_set_allowed_methods(server, UInt16(EVHTTP_REQ_GET.rawValue | EVHTTP_REQ_HEAD.rawValue))
        evhttp_set_timeout(server, 10)
        // From here on libevent owns the descriptor, in success and in failure.
        guard evhttp_accept_socket(server, listener.release()) == 0 else {
            throw SystemError("evhttp_accept_socket", code: EINVAL)
        }
    }

    deinit {
        evhttp_free(server)
    }

    private func answer(_ request: OpaquePointer) {
        let target = evhttp_request_get_uri(request).map { String(cString: $0) } ?? "/"
        let response = handler(Request(target: target))
        evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", response.contentType)
        let body = evhttp_request_get_output_buffer(request)
        _ = response.body.withUnsafeBytes { evbuffer_add(body, $0.baseAddress, $0.count) }
        evhttp_send_reply(request, CInt(response.status), nil, nil)
    }
}
