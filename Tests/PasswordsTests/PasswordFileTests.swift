import Testing

@testable import Passwords

/// Files of users and hashes: accepted ones, refused ones with the reason, and right passwords.
@Suite struct PasswordFileTests {
    /// All of `secret`, but for the last one.
    static let hashes = [
        "$2b$04$GG.oZVaGpvp3Iub3anZUH.UZX0OZ2JBt/GTdvf9CGBRl/.c3vuN2.",
        "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW",
        "$5$rounds=1000$abcdefgh$XIppta5rT8zJUu4vAOKQXrwq9uY4Ijlz6VjyOmkx5i4",
        "$6$rounds=1000$abcdefgh"
            + "$nhYjN017qxiYztzyUpZtPnUQcnLy62KsunSLHNeLahp2EHPlAKmFFlrjEwSXGo2kgY5hR2.peKEg2VGUqIJJu1",
    ]
    private static let umlauts = "$2a$04$abcdefghijklmnopqrstuu1cDoLWDR/WUf1WNLV3Klgn6BEq1nueu"

    private static func file(_ text: String) throws(PasswordFile.Fault) -> PasswordFile {
        try PasswordFile(Array(text.utf8), path: "f")
    }

    @Test(arguments: hashes) func knowsAPassword(hash: String) throws {
        let file = try Self.file("anna:\(hash)\n")
        #expect(file.isRight(Array("secret".utf8), of: "anna"))
        for wrong in ["", "Secret", "secret ", "secre", hash] { #expect(!file.isRight(Array(wrong.utf8), of: "anna")) }
        // Nobody else has it, the stand-in's hash or not.
        for user in ["", "bert", "Anna"] { #expect(!file.isRight(Array("secret".utf8), of: user)) }
    }

    @Test func takesWhatHtpasswdWrites() throws {
        let file = try Self.file(
            "# our users\n\nanna:\(Self.hashes[0])\r\nbjörn:\(Self.umlauts):further:fields\n")
        #expect(file.isRight(Array("secret".utf8), of: "anna"))
        #expect(file.isRight(Array("pässwört".utf8), of: "björn"))
        #expect(!file.isRight(Array("secret".utf8), of: "björn"))
    }

    @Test(arguments: [
        ("", "f: there is no user in it"), ("# nobody\n", "f: there is no user in it"),
        ("anna", "f:1: expected a line such as name:$2y$10$…"), (":x", "f:1: expected a line such as name:$2y$10$…"),
        ("\nan na:\(hashes[0])", "f:2: a user's name must not contain blanks or control characters"),
        ("a:\(hashes[0])\n\na:\(hashes[0])", "f:3: this user is there twice"),
        ("a:$apr1$abcdefgh$0123456789012345678901", "f:1: MD5 is no protection; make a hash of bcrypt: htpasswd -B"),
        ("a:$1$abcdefgh$0123456789012345678901", "f:1: MD5 is no protection; make a hash of bcrypt: htpasswd -B"),
        (
            "a:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",
            "f:1: SHA-1 without salt is no protection; make a hash of bcrypt: htpasswd -B"
        ), ("a:$2y$16$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", "f:1: a cost of 16 is not from 4 to 15"),
        ("a:$2y$03$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", "f:1: a cost of 3 is not from 4 to 15"),
        ("a:$2y$10$short", "f:1: this is no whole hash of bcrypt"),
        ("a:$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WI*W", "f:1: this is no whole hash of bcrypt"),
        ("a:$6$salt$short", "f:1: this is no whole hash of SHA-crypt"),
        ("a:$6$rounds=9999999$salt$x", "f:1: the rounds are not from 1000 to 999999"),
        ("a:$y$j9T$salt$hash", "f:1: hashes of this kind are not supported; make one of bcrypt: htpasswd -B"),
        ("a:$2x$04$abc", "f:1: hashes of this kind are not supported; make one of bcrypt: htpasswd -B"),
    ])
    func saysWhatIsWrong(text: String, message: String) {
        #expect(throws: PasswordFile.Fault.self) { try Self.file(text) }
        do throws(PasswordFile.Fault) {
            _ = try Self.file(text)
        } catch {
            #expect(error.description == message)
        }
    }

    /// A fault shows nothing of the line, be it in clear or not.
    @Test(arguments: ["a:swordfish", "a:rqXexS6ZhobKA", "a:$apr1$swordfish$x"])
    func showsNoSecrets(text: String) {
        do throws(PasswordFile.Fault) {
            _ = try Self.file(text)
            Issue.record("it was taken")
        } catch {
            #expect(!error.description.contains("swordfish") && !error.description.contains("rqXexS6"))
        }
    }

    @Test func saysWhereThereIsNoFile() {
        do throws(PasswordFile.Fault) {
            _ = try PasswordFile(at: "/nowhere/htpasswd")
            Issue.record("there is one")
        } catch {
            #expect(error.description == "/nowhere/htpasswd: no such file")
        }
    }
}
