import EventLoop
import Glibc
@testable import Network
import Testing

@Suite struct UnixListeningSocketTests {
    /// A path where nothing is, in a folder of its own.
    private static func freshPath() throws -> String {
        var template = Array("/tmp/loopbridge-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp") }
        return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self) + "/admin.sock"
    }

    private static func mode(of path: String) -> mode_t? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode : nil
    }

    private static func canConnect(to path: String) throws -> Bool {
        try Socket(toReach: .unix(path: path)).connect(to: .unix(path: path)) == .connected
    }

    @Test func isTheUsersAloneAndGoesWithItsOwner() throws {
        let path = try Self.freshPath()
        do {
            let mask = umask(0)
            defer { umask(mask) }
            let socket = try UnixListeningSocket(at: path)
            #expect(Self.mode(of: path) == S_IFSOCK | 0o600)
            #expect(umask(0) == 0, "the mask is as it was")
            #expect(try Self.canConnect(to: path))
            #expect(try socket.duplicate().number > 2)
        }
        #expect(Self.mode(of: path) == nil)
    }

    @Test func replacesWhatNobodyAnswersOn() throws {
        let path = try Self.freshPath()
        do {
            // Unlike the one under test, this leaves its file behind.
            let dead = try ListeningSocket(on: .unix(path: path))
            #expect(dead.number > 2)
        }
        #expect(try !Self.canConnect(to: path))
        let socket = try UnixListeningSocket(at: path)
        #expect(try Self.canConnect(to: path))
        withExtendedLifetime(try socket.duplicate()) {}
    }

    @Test func leavesAloneWhatSomebodyAnswersOn() throws {
        let path = try Self.freshPath()
        defer { unlink(path) }
        let other = try ListeningSocket(on: .unix(path: path))
        #expect(throws: SystemError("bind", code: EADDRINUSE)) { _ = try UnixListeningSocket(at: path).duplicate() }
        #expect(try Self.canConnect(to: path))
        #expect(other.number > 2)
    }

    @Test func leavesAloneWhatIsNoSocket() throws {
        let path = try Self.freshPath()
        defer { unlink(path) }
        close(open(path, O_CREAT | O_WRONLY, 0o644))
        #expect(throws: SystemError("bind", code: EADDRINUSE)) { _ = try UnixListeningSocket(at: path).duplicate() }
        #expect(Self.mode(of: path) == S_IFREG | 0o644)
    }

    /// A successor that has replaced the file keeps it.
    @Test func removesOnlyItsOwnFile() throws {
        let path = try Self.freshPath()
        defer { unlink(path) }
        do {
            let socket = try UnixListeningSocket(at: path)
            unlink(path)
            close(open(path, O_CREAT | O_WRONLY, 0o644))
            withExtendedLifetime(try socket.duplicate()) {}
        }
        #expect(Self.mode(of: path) == S_IFREG | 0o644)
    }

    @Test(arguments: [UInt16(0o000), 0o600, 0o640, 0o660, 0o666, 0o777]) func hasTheModeThatItIsGiven(mode: UInt16)
        throws
    {
        let path = try Self.freshPath()
        let socket = try UnixListeningSocket(at: path, access: UnixSocketAccess(mode: mode, owner: "0", group: "root"))
        #expect(Self.mode(of: path) == S_IFSOCK | mode_t(mode))
        #expect(try socket.duplicate().number > 2)
    }

    @Test func leavesNothingBehindWhereThereIsNoSuchUser() throws {
        let path = try Self.freshPath()
        #expect(throws: SystemError("getpwnam", code: ENOENT)) {
            _ = try UnixListeningSocket(at: path, access: UnixSocketAccess(owner: "no:body")).duplicate()
        }
        #expect(throws: SystemError("getgrnam", code: ENOENT)) {
            _ = try UnixListeningSocket(at: path, access: UnixSocketAccess(group: "")).duplicate()
        }
        #expect(Self.mode(of: path) == nil)
    }

    @Test func findsAccountsByTheirNames() {
        let file = "# names\nroot:x:0:0:root:/root:/bin/sh\nbroken\napp:x:4711:100::/:\n\nlast:x:12"
        #expect(SystemAccounts.number(of: "root", among: file) == 0)
        #expect(SystemAccounts.number(of: "app", among: file) == 4711)
        #expect(SystemAccounts.number(of: "last", among: file) == 12)
        for name in ["broken", "ap", "", "x", "nobody"] { #expect(SystemAccounts.number(of: name, among: file) == nil) }
    }

    /// A name without a file is free again with its owner.
    @Test(arguments: ["@", String(repeating: "x", count: 100)]) func hasAnAbstractName(rest: String) throws {
        let name = "@loopbridge-\(getpid())-\(rest)".prefix(108)
        for _ in 0..<2 {
            let socket = try UnixListeningSocket(at: String(name))
            #expect(try Self.canConnect(to: String(name)))
            #expect(throws: SystemError("bind", code: EADDRINUSE)) {
                _ = try UnixListeningSocket(at: String(name)).duplicate()
            }
            #expect(try Socket(owning: socket.duplicate()).localAddress == .unix(path: String(name)))
        }
        #expect(try !Self.canConnect(to: String(name)))
    }

    @Test func knowsWhoIsAtTheOtherEnd() throws {
        let path = try Self.freshPath()
        let socket = try UnixListeningSocket(at: path)
        let visitor = try Socket(toReach: .unix(path: path))
        #expect(visitor.connect(to: .unix(path: path)) == .connected)
        #expect(visitor.peerCredentials == PeerCredentials(process: getpid(), user: getuid()))
        #expect(try socket.duplicate().number > 2)
        #expect(try Socket(toReach: .ip(.loopbackV4, port: 1)).peerCredentials == nil)
    }

    @Test func saysWhyNot() throws {
        #expect(throws: SystemError("bind", code: ENOENT)) {
            _ = try UnixListeningSocket(at: "/nowhere/at/all.sock").duplicate()
        }
    }
}
