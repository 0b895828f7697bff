import ArgumentParser
import Configuration

/// `loopbridge check`: says what a configuration means, or what is wrong with it.
struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Validate, and print the effective configuration as YAML.",
        discussion: """
            What is printed has every key, whether it came from the command line, the
            environment, the file or the defaults, and can be used as a configuration
            file. What is surely not meant is warned of on standard error.
            """)

    @OptionGroup var options: SharedOptions

    @Flag(help: "Say behind each value where it came from.") var explain = false
    @Flag(help: "Print the JSON Schema of the configuration file, for editors, and do nothing else.") var schema = false

    func run() throws {
        if schema {
            print(ConfigurationSchema.text, terminator: "")
            return
        }
        let loaded = try options.loaded()
        StandardError.write(report: loaded.warningReport)
        print(try explain ? loaded.explanation : loaded.configuration.yaml, terminator: "")
    }
}
