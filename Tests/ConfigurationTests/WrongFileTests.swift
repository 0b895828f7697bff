import Configuration
import Glibc
import Testing

/// The files in Tests/WrongFiles, each with the message that a person gets for it: `syntax` holds what is no YAML that is read
/// here, `shape` what a validator with the JSON Schema refuses too, `meaning` what only makes no sense as a whole.
///
/// To see a message: `loopbridge check --config FILE`.
@Suite struct WrongFileTests {
    static let kinds = ["syntax", "shape", "meaning"]
    private static let folder = "Tests/WrongFiles"

    /// `shape/empty-route`, and so on.
    static let names: [String] = kinds.flatMap { kind in
        fileNames(in: Repository.path("\(folder)/\(kind)")).filter { $0.hasSuffix(".yaml") }
            .map { "\(kind)/\($0.dropLast(".yaml".count))" }
    }

    @Test(arguments: names) func saysWhatIsWrong(name: String) throws {
        let contents = try ConfigurationFile(reading: Repository.path("\(Self.folder)/\(name).yaml")).contents
        let file = ConfigurationFile(path: String(name.split(separator: "/")[1]) + ".yaml", contents: contents)
        let expected = try Repository.text("\(Self.folder)/\(name).expected")
        do throws(ConfigurationErrors) {
            _ = try Configuration.load(ConfigurationSources(file: file))
            Issue.record("no error")
        } catch {
            #expect(error.report == expected)
            #expect(error.exitCode == 78)
        }
    }

    @Test func areMany() {
        #expect(Self.names.count >= 100)
        // A message whose file is gone.
        for kind in Self.kinds {
            let all = Self.fileNames(in: Repository.path("\(Self.folder)/\(kind)"))
            #expect(all.filter { $0.hasSuffix(".yaml") }.count * 2 == all.count)
        }
    }

    private static func fileNames(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }
}
