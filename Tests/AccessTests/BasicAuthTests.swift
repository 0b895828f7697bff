import Configuration
import EventLoop
import Glibc
import HTTP1
import Passwords
import Testing

@testable import Access

/// A right password is remembered for a while, and not checked again.
@Suite struct BasicAuthTests {
    private static let hash = "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"

    private static func withFile(_ body: (BasicAuth, _ write: (String) -> Void) throws -> Void) throws {
        let path = "/tmp/loopbridge-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        defer { unlink(path) }
        func write(_ text: String) {
            let file = fopen(path, "w")
            fputs(text, file)
            fclose(file)
        }
        write("anna:\(hash)\n")
        let auth = try #require(BasicAuth(BasicAuthSettings { $0.file = path }))
        try body(auth, write)
    }

    private static func credentials(_ user: String, _ password: String = "secret") -> BasicCredentials {
        BasicCredentials(user: user, password: Array(password.utf8))
    }

    private func edition(_ auth: BasicAuth, _ credentials: BasicCredentials, at now: MonotonicTime) -> Int? {
        if case .ask(_, let edition) = auth.answer(credentials, at: now) { edition } else { nil }
    }

    private func isRight(_ auth: BasicAuth, _ credentials: BasicCredentials, at now: MonotonicTime) -> Bool {
        if case .right = auth.answer(credentials, at: now) { true } else { false }
    }

    @Test func remembersForAWhile() throws {
        try Self.withFile { auth, write in
            let now = MonotonicTime.now
            let anna = Self.credentials("anna")
            guard case .nobody = auth.answer(anna, at: now) else { throw TestError() }
            #expect(try auth.read())
            let first = try #require(edition(auth, anna, at: now))
            auth.letIn(anna, edition: first, at: now)
            #expect(isRight(auth, anna, at: now.advanced(by: .seconds(59))))
            #expect(!isRight(auth, anna, at: now.advanced(by: BasicAuth.memory)))
            for other in [
                Self.credentials("anna", "Secret"), Self.credentials("ann", "asecret"), Self.credentials("bert"),
            ] {
                #expect(edition(auth, other, at: now) == first)
            }
            // The same file again changes nothing; with another one every password is checked again.
            #expect(try !auth.read())
            #expect(isRight(auth, anna, at: now))
            write("anna:\(Self.hash)\nbert:\(Self.hash)\n")
            #expect(try auth.read())
            #expect(!isRight(auth, anna, at: now))
            // A check against the old file comes too late.
            auth.letIn(anna, edition: first, at: now)
            #expect(!isRight(auth, anna, at: now))
        }
    }

    @Test func aFileWithAFaultChangesNothing() throws {
        try Self.withFile { auth, write in
            let anna = Self.credentials("anna")
            let now = MonotonicTime.now
            #expect(try auth.read())
            auth.letIn(anna, edition: try #require(edition(auth, anna, at: now)), at: now)
            write("anna:secret\n")
            #expect(throws: (any Error).self) { try auth.read() }
            #expect(isRight(auth, anna, at: now))
        }
    }

    @Test func remembersABoundedNumber() throws {
        try Self.withFile { auth, _ in
            let now = MonotonicTime.now
            #expect(try auth.read())
            let edition = try #require(self.edition(auth, Self.credentials("0"), at: now))
            for number in 0...BasicAuth.mostMarks {
                auth.letIn(Self.credentials("\(number)"), edition: edition, at: now)
            }
            #expect(isRight(auth, Self.credentials("\(BasicAuth.mostMarks)"), at: now))
            #expect(!isRight(auth, Self.credentials("0"), at: now))
        }
    }

    private struct TestError: Error {}
}

extension BasicAuth {
    /// Reads the file, as the server does when it has changed.
    fileprivate func read() throws -> Bool { use(try PasswordFile(at: path)) }
}
