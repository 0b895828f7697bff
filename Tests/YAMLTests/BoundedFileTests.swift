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
    private func read(
        _ path: String, limit: Int = YAMLLimits.bytes, patience: Duration = .seconds(5)
    ) throws -> [UInt8] {
        try BoundedFile.read(path, limit: limit, patience: patience)
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

    /// Replaces what the file holds, as `cp` does.
    private func overwrite(_ path: String, with text: String) {
        let descriptor = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC)
        defer { close(descriptor) }
        _ = write(descriptor, text, text.utf8.count)
    }

    @Test func readsAgainWhatWasWrittenMeanwhile() throws {
        try withFile("half of the old") { path in
            var reads = 0
            let bytes = try BoundedFile.read(
                path,
                meanwhile: {
                    reads += 1
                    if reads == 1 { overwrite(path, with: "the whole of the new") }
                })
            #expect(bytes == Array("the whole of the new".utf8))
            #expect(reads == 2)
        }
    }

    @Test func givesUpOnAFileThatAlwaysChanges() throws {
        try withFile("0") { path in
            var reads = 0
            #expect(throws: BoundedFileError.changing) {
                try BoundedFile.read(
                    path,
                    meanwhile: {
                        reads += 1
                        overwrite(path, with: String(repeating: "x", count: reads + 1))
                    }) as [UInt8]
            }
            #expect(reads == 10)
        }
    }

    /// Another file by the same name is another file: the one that was opened is read to its end.
    @Test func readsAFileThatIsReplaced() throws {
        try withFile("old") { path in
            try withFile("new") { other in
                let old = try BoundedFile.read(path, meanwhile: { rename(other, path) })
                #expect(old == Array("old".utf8))
                let new = try read(path)
                #expect(new == Array("new".utf8))
            }
        }
    }

    @Test func readsAPipeToItsEnd() throws {
        var ends: [CInt] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { close(ends[0]) }
        try #require(write(ends[1], "drain: 5s", 9) == 9)
        close(ends[1])
        let bytes = try read("/dev/fd/\(ends[0])")
        #expect(bytes == Array("drain: 5s".utf8))
    }

    @Test(.timeLimit(.minutes(1))) func doesNotWaitForeverForAPipe() throws {
        var ends: [CInt] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        #expect(throws: BoundedFileError.stalled) {
            try read("/dev/fd/\(ends[0])", patience: .milliseconds(50))
        }
    }

    @Test func readsFilesThatTellNoSize() throws {
        let bytes = try read("/proc/self/status")
        #expect(bytes.starts(with: Array("Name:".utf8)))
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
        #expect(BoundedFileError.changing.description == "changes while it is read")
        #expect(BoundedFileError.stalled.description == "gives nothing to read")
        #expect(BoundedFileError.unreadable("Input/output error").description == "Input/output error")
    }
}
