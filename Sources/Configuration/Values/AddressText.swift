internal import Network

/// A text of parts with colons between them, as addresses and ROUTEs are: `[::]:8080:localhost:8000`.
struct AddressText {
    /// The parts in front of a Unix socket's path, or all of them.
    var parts: [AddressPart]
    /// Everything behind `unix:`.
    var unixPath: String?

    /// - Throws: ``ValueError`` where brackets do not match or a part is empty.
    init(_ text: String) throws(ValueError) {
        parts = []
        var rest = Substring(text)
        while true {
            if rest.hasPrefix("unix:") {
                unixPath = try Self.checkedPath(String(rest.dropFirst("unix:".count)))
                return
            }
            let end = try Self.endOfPart(rest)
            parts.append(try AddressPart(String(rest[..<end]), of: text))
            guard end < rest.endIndex else { return }
            rest = rest[rest.index(after: end)...]
        }
    }

    /// The end of the first part: a colon outside of brackets, or the end of the text.
    private static func endOfPart(_ text: Substring) throws(ValueError) -> Substring.Index {
        guard text.hasPrefix("[") else { return text.firstIndex(of: ":") ?? text.endIndex }
        guard let bracket = text.firstIndex(of: "]") else {
            throw ValueError("the bracket in \(quoted(String(text))) is not closed")
        }
        let end = text.index(after: bracket)
        guard end == text.endIndex || text[end] == ":" else {
            throw ValueError("expected ':' behind \(quoted(String(text[..<end])))")
        }
        return end
    }

    /// The path of a Unix socket, or behind an `@` a name that has no file, both of which the kernel bounds.
    static func checkedPath(_ path: String) throws(ValueError) -> String {
        guard path.hasPrefix("@") else { return try checkedFilePath(path) }
        let count = path.utf8.count - 1
        guard 1...SocketAddress.longestUnixPath ~= count else {
            throw ValueError(
                "the abstract name of a Unix socket has 1 to \(SocketAddress.longestUnixPath) bytes, found \(count)")
        }
        guard !path.utf8.contains(0) else { throw ValueError("the name of a Unix socket has no NUL byte") }
        return path
    }

    /// The name of an inherited socket: as systemd allows it in FileDescriptorName (systemd.socket(5)).
    static func checkedName(_ name: String) throws(ValueError) -> String {
        guard 1...255 ~= name.utf8.count, name.utf8.allSatisfy({ 0x20..<0x7F ~= $0 && $0 != UInt8(ascii: ":") }) else {
            throw ValueError(
                "the name of an inherited socket has 1 to 255 ASCII characters and no colon, found \(quoted(name))")
        }
        return name
    }

    /// The path of a Unix socket that has a file.
    static func checkedFilePath(_ path: String) throws(ValueError) -> String {
        guard path.hasPrefix("/") else {
            throw ValueError("the path of a Unix socket must begin with '/', found \(quoted(path))")
        }
        guard path.utf8.count <= SocketAddress.longestUnixPath else {
            throw ValueError(
                "the path of a Unix socket has at most \(SocketAddress.longestUnixPath) bytes, found \(path.utf8.count)"
            )
        }
        guard !path.utf8.contains(0) else { throw ValueError("the path of a Unix socket has no NUL byte") }
        return path
    }
}
