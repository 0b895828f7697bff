import CLibFuzzer
import Configuration

/// Feeds the configuration loader with what libFuzzer makes up.
@main
struct FuzzConfiguration {
    static func main() {
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
        _ = unsafe LLVMFuzzerRunDriver(&count, &arguments) { bytes, count in
            unsafe FuzzConfiguration.check(Array(UnsafeBufferPointer(start: bytes, count: count)))
            return 0
        }
    }

    /// Whatever the file: it is a configuration that means the same when it is written and read again, or there is a
    /// fault with a place in the file.
    private static func check(_ bytes: [UInt8]) {
        let environment = ["NAME": "value", "PORT": "8000", "EMPTY": ""]
        let file = ConfigurationFile(path: "f", contents: bytes)
        do throws(ConfigurationErrors) {
            let loaded = try LoadedConfiguration(ConfigurationSources(file: file, environment: environment))
            precondition(loaded.warningReport.isEmpty == loaded.warnings.isEmpty)
            for text in [try? loaded.configuration.yaml, try? loaded.explanation] {
                precondition(read(text ?? "") == loaded.configuration, "it means something else when it is read again")
            }
        } catch {
            precondition(!error.diagnostics.isEmpty && !error.report.isEmpty && error.exitCode == 78)
            precondition(error.report.utf8.allSatisfy { $0 >= 0x20 || $0 == UInt8(ascii: "\n") })
        }
    }

    private static func read(_ text: String) -> Configuration? {
        try? Configuration.load(
            ConfigurationSources(file: ConfigurationFile(path: "f", contents: Array(text.utf8))))
    }
}
