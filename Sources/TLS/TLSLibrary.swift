internal import CLinux
internal import COpenSSL
internal import Network

/// OpenSSL, made ready once for the process.
enum TLSLibrary {
    /// Called before anything else of the library is.
    /// - Returns: false where it cannot be started, now or ever: there was no memory for it.
    static func start() -> Bool { isStarted }

    private static let isStarted: Bool = {
        // Refused where the library has been used before, which the program does not do.
        CRYPTO_set_mem_functions(
            { count, _, _ in clinux_allocate(count) }, { block, count, _, _ in clinux_resize(block, count) },
            { block, _, _ in clinux_free(block) })
        return copenssl_start() == 1
    }()

    /// Has the library wipe all memory that it gives back meanwhile: not everything that a key passes through on its way out of
    /// a file is wiped otherwise.
    static func wipingMemory<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        clinux_wipe_what_is_freed(true)
        defer { clinux_wipe_what_is_freed(false) }
        return try body()
    }

    /// Takes the thread's noted errors away.
    /// - Returns: the oldest, which is the cause; nil where there is none.
    static func takeError() -> ErrorCode? {
        let code = ERR_get_error()
        ERR_clear_error()
        return code == 0 ? nil : ErrorCode(code)
    }

    /// Takes the thread's noted errors away after a call that has failed.
    static func takeFailure() -> Failure {
        Failure(error: takeError(), isOutOfMemory: clinux_allocation_has_failed())
    }

    /// Why a call to the library has come to nothing.
    struct Failure {
        /// The error that the library has noted, for which it may have had no memory.
        let error: ErrorCode?
        /// An allocation has failed on this thread.
        let isOutOfMemory: Bool

        /// The end of the connection that follows from it.
        var failure: SocketFailure { isOutOfMemory ? .outOfMemory : .violation }
    }

    /// An error of the library.
    struct ErrorCode {
        let library: CInt
        let number: CInt
        /// The library's words for it: `no shared cipher`.
        let reason: String

        init(_ code: UInt) {
            library = copenssl_error_library(code)
            number = copenssl_error_reason(code)
            reason = ERR_reason_error_string(code).map { String(cString: $0) } ?? "error \(number)"
        }
    }
}
