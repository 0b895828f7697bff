import Glibc
import Testing
import YAML

@Suite struct BoundedFileTests {
    /// Runs the body with the path of a file that holds the text.
    private func withFile(_ text: String, _ body: (String) throws -> Void) throws {
        var path = Array("/tmp/loopbridge-test-XXXXXX".utf8CString)
        let descriptor = mkstemp(&path)
        try #require(descriptor >= 0)
        let name = String(decoding: path.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer {
            close(descriptor)
            unlink(name)
        }
        try #require(write(descriptor, text, text.utf8.count) == text.utf8.count)
        try body(name)
    }

    /// Without the error's static type, which `#expect` does not take.
    private func read(_ path: String, limit: Int = YAMLLimits.bytes) throws -> [UInt8] {
        try BoundedFile.read(path, limit: limit)
    }

    @Test func readsAFile() throws {
        let text = String(repeating: "a: b\n", count: 50_000)
        try withFile(text) { path in
            let bytes = try read(path)
            #expect(bytes == Array(text.utf8))
        }
    }

    @Test func refusesALargeFile() throws {
        try withFile("0123456789") { path in
            let bytes = try read(path, limit: 10)
            #expect(bytes.count == 10)
            #expect(throws: BoundedFileError.tooLarge(limit: 9)) { try read(path, limit: 9) }
        }
        #expect(throws: BoundedFileError.tooLarge(limit: YAMLLimits.bytes)) { try read("/dev/zero") }
    }

    @Test func tellsWhyAFileCannotBeRead() throws {
        #expect(throws: BoundedFileError.notFound) { try read("/nowhere/at/all") }
        #expect(throws: BoundedFileError.notFound) { try read("/dev/null/x") }
        #expect(throws: BoundedFileError.isDirectory) { try read("/") }
        #expect(throws: BoundedFileError.unreadable("File name too long")) {
            try read("/" + String(repeating: "x", count: 256))
        }
    }

    /// Root reads everything, so that the system's refusal can be seen only by others.
    @Test(.enabled(if: geteuid() != 0))
    func tellsAMissingPermission() throws {
        try withFile("secret") { path in
            chmod(path, 0)
            #expect(throws: BoundedFileError.permissionDenied) { try read(path) }
        }
    }

    @Test func describesItself() {
        #expect(BoundedFileError.notFound.description == "no such file")
        #expect(BoundedFileError.permissionDenied.description == "permission denied")
        #expect(BoundedFileError.isDirectory.description == "is a directory, not a file")
        #expect(BoundedFileError.tooLarge(limit: 9).description == "is larger than 9 bytes")
        #expect(BoundedFileError.unreadable("Input/output error").description == "Input/output error")
    }
}
