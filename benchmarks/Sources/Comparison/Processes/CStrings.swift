import Glibc

/// Arrays of C strings, as posix_spawn(3) takes them.
enum CStrings {
    /// Calls `body` with the strings as a null-terminated array that lives until it returns.
    static func with<Result>(
        _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) throws -> Result
    ) rethrows -> Result {
        let copies = strings.map { strdup($0) }
        defer { copies.forEach { free($0) } }
        return try body(copies + [nil])
    }
}
