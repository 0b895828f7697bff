internal import EventLoop
internal import Glibc

/// The numbers of users and groups by their names, out of /etc/passwd and /etc/group.
///
/// The files alone: what else a system may ask (NSS) takes libraries that a static program cannot load.
public enum SystemAccounts {
    public static let users = "/etc/passwd"
    public static let groups = "/etc/group"

    /// A user's number.
    /// - Throws: ``SystemError``, of getpwnam(3), where there is no such user.
    static func user(_ name: String) throws(SystemError) -> UInt32 {
        guard let number = number(of: name, in: users) else { throw SystemError("getpwnam", code: ENOENT) }
        return number
    }

    /// A group's number.
    /// - Throws: ``SystemError``, of getgrnam(3), where there is no such group.
    static func group(_ name: String) throws(SystemError) -> UInt32 {
        guard let number = number(of: name, in: groups) else { throw SystemError("getgrnam", code: ENOENT) }
        return number
    }

    /// Digits are a number, whether anybody has it or not.
    private static func number(of name: String, in file: String) -> UInt32? {
        if let number = UInt32(name) { return number == .max ? nil : number }
        return number(of: name, among: Descriptor.contents(of: file) ?? "")
    }

    /// - Parameter entries: lines of name, password, number and more, with colons between them (passwd(5), group(5)).
    static func number(of name: String, among entries: String) -> UInt32? {
        for line in entries.split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            if fields.count > 2, fields[0] == name { return UInt32(fields[2]) }
        }
        return nil
    }
}
