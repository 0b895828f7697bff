internal import CLibevent

extension HTTPServer {
    /// Whom a request's answer is given to, once; whether the client is still there does not matter.
    ///
    /// Belongs to the loop's thread. One that is forgotten without an answer gives 500.
    public final class Responder {
        /// For a list that does not keep its responders alive.
        struct Reference {
            weak var value: Responder?
        }

        /// Evhttp's request; nil once it was answered, or its server has gone.
        private var request: OpaquePointer?
        private let fields: [(name: String, value: String)]
        /// Called with the end of the request.
        var onEnd: (() -> Void)?

        /// - Parameter fields: header fields of every answer.
        init(_ request: OpaquePointer, fields: [(name: String, value: String)]) {
            self.request = request
            self.fields = fields
        }

        deinit {
            send(Response(status: 500, contentType: "text/plain; charset=utf-8", body: Array("no answer\n".utf8)))
        }

        /// Gives the answer. Every further one is ignored.
        public func answer(_ response: Response) {
            send(response)
        }

        /// There is nobody left to be answered: the server frees its requests.
        func abandon() {
            request = nil
            onEnd = nil
        }

        private func send(_ response: Response) {
            guard let request else { return }
            self.request = nil
            onEnd?()
            onEnd = nil
            let head = evhttp_request_get_output_headers(request)
            evhttp_add_header(head, "Content-Type", response.contentType)
            evhttp_add_header(head, "Content-Length", "\(response.body.count)")
            for (name, value) in fields + response.fields { evhttp_add_header(head, name, value) }
            if evhttp_request_get_command(request) != EVHTTP_REQ_HEAD {
                let body = evhttp_request_get_output_buffer(request)
                _ = response.body.withUnsafeBytes { evbuffer_add(body, $0.baseAddress, $0.count) }
            }
            // Frees the request, where its client has gone too.
            evhttp_send_reply(request, CInt(response.status), nil, nil)
        }
    }
}
