/// The fields that mean something to a proxy, recognised once while the head is scanned.
public enum FieldName: UInt8, Sendable, CaseIterable {
    /// Any field that is not named here.
    case other
    /// A field whose name would be one of the others if its underscores were hyphens. Apps that see names as CGI does
    /// cannot tell the two apart, so it never passes.
    case underscored

    // Framing and routing.
    case host, contentLength, transferEncoding, trailer
    // The connection (RFC 9110 section 7.6.1).
    case connection, keepAlive, proxyConnection, te, upgrade, http2Settings, expect
    case proxyAuthorization, proxyAuthenticate, persistentAuth
    /// Not a field of HTTP: CGI would make the variable HTTP_PROXY of it.
    case proxy

    // The sender.
    case forwardedFor, forwardedProto, forwardedHost, forwarded, realIP
    /// Any other name that begins with `X-Forwarded-`.
    case forwardedOther
    /// Any name that begins with `X-Client-Cert`: our word on a client's certificate, and whatever is easily taken for it.
    case clientCertificate
    case via

    // The target.
    case origin, referer, location, contentLocation, refresh, setCookie

    // For the log and the pages for errors.
    case accept, userAgent, retryAfter

    // Never in a trailer (RFC 9110 section 6.5.1).
    case authorization, wwwAuthenticate, cookie, contentType, contentEncoding, contentRange, range, cacheControl
    case maxForwards, ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince, ifRange, age, date, expires, vary,
        pragma

    /// The name in lower case; nil for those that stand for many.
    var text: String? {
        switch self {
        case .other, .underscored, .forwardedOther, .clientCertificate: nil
        case .host: "host"
        case .contentLength: "content-length"
        case .transferEncoding: "transfer-encoding"
        case .trailer: "trailer"
        case .connection: "connection"
        case .keepAlive: "keep-alive"
        case .proxyConnection: "proxy-connection"
        case .te: "te"
        case .upgrade: "upgrade"
        case .http2Settings: "http2-settings"
        case .expect: "expect"
        case .proxyAuthorization: "proxy-authorization"
        case .proxyAuthenticate: "proxy-authenticate"
        case .persistentAuth: "persistent-auth"
        case .proxy: "proxy"
        case .forwardedFor: "x-forwarded-for"
        case .forwardedProto: "x-forwarded-proto"
        case .forwardedHost: "x-forwarded-host"
        case .forwarded: "forwarded"
        case .realIP: "x-real-ip"
        case .via: "via"
        case .origin: "origin"
        case .referer: "referer"
        case .location: "location"
        case .contentLocation: "content-location"
        case .refresh: "refresh"
        case .setCookie: "set-cookie"
        case .accept: "accept"
        case .userAgent: "user-agent"
        case .retryAfter: "retry-after"
        case .authorization: "authorization"
        case .wwwAuthenticate: "www-authenticate"
        case .cookie: "cookie"
        case .contentType: "content-type"
        case .contentEncoding: "content-encoding"
        case .contentRange: "content-range"
        case .range: "range"
        case .cacheControl: "cache-control"
        case .maxForwards: "max-forwards"
        case .ifMatch: "if-match"
        case .ifNoneMatch: "if-none-match"
        case .ifModifiedSince: "if-modified-since"
        case .ifUnmodifiedSince: "if-unmodified-since"
        case .ifRange: "if-range"
        case .age: "age"
        case .date: "date"
        case .expires: "expires"
        case .vary: "vary"
        case .pragma: "pragma"
        }
    }
}
