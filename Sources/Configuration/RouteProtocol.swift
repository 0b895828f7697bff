/// What a route carries.
enum RouteProtocol: Sendable, Equatable {
    case tcp
}

extension ValueKind<RouteProtocol> {
    static var `protocol`: ValueKind {
        words(
            ["tcp"],
            parse: { text throws(ValueError) in
                if ["http", "udp"].contains(text) {
                    throw ValueError("protocol \(quoted(text)) is not supported yet; expected tcp")
                }
                return text == "tcp" ? .tcp : nil
            }, write: { _ in "tcp" })
    }
}
