internal import Network
internal import YAML

/// A Unix socket to listen on whose file is somebody's in particular: `{ unix: /run/web.sock, mode: "0660" }`.
struct UnixListenDraft: Sendable, Equatable {
    var path: Located<String>?
    var mode: Located<UInt16>?
    var owner: Located<String>?
    var group: Located<String>?
}

extension UnixListenDraft: KeyedMapping {
    static let place = "in 'listen'"

    static let keys: [Key<UnixListenDraft>] = [
        .located(
            "unix", .unixPath, \.path, isRequired: true,
            help: "The path of a Unix socket to listen on, or @ and a name in the abstract namespace.",
            example: "/run/web.sock"),
        .located(
            "mode", .mode, \.mode, defaultText: "`0660`",
            help: "The permission bits of the socket's file; connecting takes permission to write to it.",
            example: "\"0666\""),
        .located(
            "owner", .account, \.owner, defaultText: "who runs the program",
            help: "The user that owns the socket's file, by name or number.", example: "app"),
        .located(
            "group", .account, \.group, defaultText: "the program's",
            help: "The group that owns the socket's file, by name or number.", example: "www-data"),
    ]

    /// The form of a ``ListenSpec`` as a mapping.
    static let form = ItemForm<ListenSpec>(
        descriptions: { descriptions },
        decode: { node, decoding in
            var draft = UnixListenDraft()
            decoding.mapping(node, into: &draft)
            guard let path = draft.path else { return nil }
            if path.value.hasPrefix("@"),
                let given = draft.mode?.location ?? draft.owner?.location ?? draft.group?.location
            {
                decoding.report("an abstract name has no file, and so no mode, owner or group", at: given)
            }
            let access = UnixSocketAccess(
                mode: draft.mode?.value ?? UnixSocketAccess().mode, owner: draft.owner?.value, group: draft.group?.value
            )
            return .unix(path: path.value, access)
        },
        encode: { spec in
            guard case .unix(let path, let access) = spec, access != UnixSocketAccess() else { return nil }
            func located<Value>(_ value: Value) -> Located<Value> { Located(value: value, location: .commandLine) }
            return YAMLNode(
                encoding: UnixListenDraft(
                    path: located(path), mode: located(access.mode), owner: access.owner.map(located),
                    group: access.group.map(located)))
        })
}

extension ValueKind<String> {
    /// The path or the abstract name of a Unix socket.
    fileprivate static var unixPath: ValueKind {
        ValueKind(
            "an absolute path", type: "absolute path or `@NAME`", placeholder: "PATH", schemas: [.pattern("^[/@]")],
            parse: { text throws(ValueError) in try AddressText.checkedPath(text) }, write: { $0 })
    }

    /// A user or a group.
    fileprivate static var account: ValueKind {
        ValueKind(
            "a name or a number", type: "name or number", placeholder: "NAME",
            schemas: [.integer(0...4_294_967_294), .pattern("^[^:/ ]+$")],
            parse: { text throws(ValueError) in
                let isPlain = text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0 != ":" && $0 != "/" }
                return isPlain && !text.isEmpty && (wholeNumber(text).map { $0 < UInt32.max } ?? true) ? text : nil
            }, write: { $0 })
    }
}

extension ValueKind<UInt16> {
    /// Permission bits.
    fileprivate static var mode: ValueKind {
        ValueKind(
            "permission bits such as 0660", type: "octal number", placeholder: "MODE",
            schemas: [.pattern("^0?[0-7]{3}$"), .integer(0...777)],
            parse: { text throws(ValueError) in
                let digits = text.utf8.count == 4 && text.hasPrefix("0") ? text.dropFirst() : text[...]
                guard digits.utf8.count == 3, digits.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "7") ~= $0 })
                else { return nil }
                return UInt16(digits, radix: 8)
            },
            write: { bits in
                let digits = String(bits, radix: 8)
                return String(repeating: "0", count: max(4 - digits.count, 0)) + digits
            })
    }
}
