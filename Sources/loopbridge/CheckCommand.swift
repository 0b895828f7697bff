import ArgumentParser
import Configuration

/// `loopbridge check`: says what a configuration means, or what is wrong with it.
struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Validate, and print the effective configuration as YAML.",
        discussion: """
            What is printed has every key, whether it came from the command line, the
            environment, the file or the defaults, and can be used as a configuration
            file.
            """)

    @OptionGroup var options: SharedOptions

    func run() throws {
        print(try options.configuration().yaml, terminator: "")
    }
}
