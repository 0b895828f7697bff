import Glibc
import Testing
import YAML

@Suite struct BoundedFileTests {
    /// Runs the body with the path of a file that holds the text.
    private func withFile(
        isolation: isolated (any Actor)? = #isolation, _ text: String, _ body: (String) async throws -> Void
    ) async throws {
        var path = Array("/tmp/loopbridge-test-XXXXXX".utf8CString)
        let descriptor = mkstemp(&path)
        try #require(descriptor >= 0)
        let name = String(decoding: path.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer {
            close(descriptor)
            unlink(name)
        }
        try #require(write(descriptor, text, text.utf8.count) == text.utf8.count)
        try await body(name)
    }

    /// Without the error's static type, which `#expect` does not take.
    private func read(
        _ path: String, limit: Int = YAMLLimits.bytes, patience: Duration = .seconds(5)
    ) throws -> [UInt8] {
        try BoundedFile.read(path, limit: limit, patience: patience)
    }

    @Test func readsAFile() async throws {
        let text = String(repeating: "a: b\n", count: 50_000)
        try await withFile(text) { path in
            let bytes = try read(path)
            #expect(bytes == Array(text.utf8))
        }
    }

    @Test func refusesALargeFile() async throws {
        try await withFile("0123456789") { path in
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

    /// A writer that overwrites the file in place, again and again: what is read is never a part of two versions.
    @Test func neverReadsAHalfWrittenFile() async throws {
        let size = 300_000
        try await withFile(String(repeating: "a", count: size)) { path in
            let versions = ["a", "b"].map { Array(String(repeating: $0, count: size).utf8) }
            let (beginning, begins) = AsyncStream.makeStream(of: Void.self)
            let writer = Task.detached {
                let descriptor = open(path, O_WRONLY | O_CLOEXEC)
                defer { close(descriptor) }
                var writes = 0
                while !Task.isCancelled {
                    _ = pwrite(descriptor, versions[writes % 2], size, 0)
                    writes += 1
                    begins.finish()
                    // Now and then the file comes to rest, as it does in life.
                    if writes % 8 == 0 { usleep(15_000) }
                }
                return writes
            }
            for await _ in beginning {}
            var whole = 0
            for _ in 0..<60 {
                do throws(BoundedFileError) {
                    let bytes = try BoundedFile.read(path)
                    #expect(versions.contains(bytes))
                    whole += 1
                } catch {
                    #expect(error == .changing)
                }
            }
            writer.cancel()
            let writes = await writer.value
            #expect(writes > 0)
            #expect(whole > 0)
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
    func tellsAMissingPermission() async throws {
        try await withFile("secret") { path in
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
