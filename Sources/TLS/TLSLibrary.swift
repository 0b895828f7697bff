internal import COpenSSL

/// OpenSSL, made ready once for the process.
enum TLSLibrary {
    /// Called before anything else of the library is.
    static func start() { _ = isStarted }

    private static let isStarted: Bool = {
        precondition(copenssl_start() == 1, "OpenSSL cannot be started")
        return true
    }()

    /// Takes the thread's noted errors away.
    /// - Returns: the oldest, which is the cause; nil where there is none.
    static func takeError() -> ErrorCode? {
        let code = ERR_get_error()
        ERR_clear_error()
        return code == 0 ? nil : ErrorCode(code)
    }

    /// An error of the library.
    struct ErrorCode {
        let library: CInt
        let number: CInt
        /// What the library says about it: `no shared cipher`.
        let reason: String

        init(_ code: UInt) {
            library = copenssl_error_library(code)
            number = copenssl_error_reason(code)
            reason = ERR_reason_error_string(code).map { String(cString: $0) } ?? "error \(number)"
        }
    }
}
