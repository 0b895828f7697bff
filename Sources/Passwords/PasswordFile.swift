internal import YAML

/// Users and the hashes of their passwords, as `htpasswd -B` writes them: `name:hash`, a line each. Lines that are empty or begin
/// with `#` are left out.
public struct PasswordFile: Sendable, Equatable {
    private let hashes: [String: PasswordHash]
    /// The hash that unknown users' passwords are compared with, so that they take as long as the others'.
    private let standIn: PasswordHash

    /// The reason why a file cannot be used.
    public struct Fault: Error, Equatable, CustomStringConvertible {
        public let path: String
        /// The line, from 1; nil where the whole file is at fault.
        public let line: Int?
        public let reason: String

        /// The fault as in `/etc/htpasswd:3: MD5 is no protection; …`.
        public var description: String { "\(path):\(line.map { "\($0):" } ?? "") \(reason)" }
    }

    private static let mostBytes = 1 << 20

    /// Reads a file; at most 1 MiB.
    public init(at path: String) throws(Fault) {
        let bytes: [UInt8]
        do {
            bytes = try BoundedFile.read(path, limit: Self.mostBytes)
        } catch {
            throw Fault(path: path, line: nil, reason: error.description)
        }
        try self.init(bytes, path: path)
    }

    init(_ bytes: [UInt8], path: String) throws(Fault) {
        var hashes: [String: PasswordHash] = [:]
        var first: PasswordHash?
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            func fault(_ reason: String) -> Fault { Fault(path: path, line: index + 1, reason: reason) }
            guard let text = String(validating: line, as: UTF8.self) else { throw fault("this is no UTF-8") }
            let entry = text.hasSuffix("\r") ? text.dropLast() : text[...]
            if entry.isEmpty || entry.hasPrefix("#") { continue }
            let parts = entry.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard parts.count >= 2, !parts[0].isEmpty else { throw fault("expected a line such as name:$2y$10$…") }
            guard parts[0].unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control && $0 != " " }) else {
                throw fault("a user's name must not contain blanks or control characters")
            }
            guard hashes[parts[0]] == nil else { throw fault("this user is there twice") }
            do {
                let hash = try PasswordHash(parts[1])
                hashes[parts[0]] = hash
                first = first ?? hash
            } catch {
                throw fault(error.reason)
            }
        }
        guard let first else { throw Fault(path: path, line: nil, reason: "there is no user in it") }
        self.hashes = hashes
        standIn = first
    }

    /// Whether this is the user's password. Takes 50 to 300 ms, for unknown users too: not for an event loop.
    /// - Parameter password: without a zero byte.
    public func isRight(_ password: [UInt8], of user: String) -> Bool {
        let hash = hashes[user]
        let matches = (hash ?? standIn).matches(password)
        return hash != nil && matches
    }
}
