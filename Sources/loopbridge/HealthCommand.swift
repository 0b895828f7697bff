import ArgumentParser
import Configuration

/// `loopbridge health`: what the admin port says of the program's health, as an exit code.
struct Health: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ask a running loopbridge whether it is well (HEALTHCHECK).",
        discussion: """
            Asks the admin port, prints its answer and exits with 0 if all is well, and
            with 1 if it is not, or if nobody answers. With --ready it asks whether every
            route's app listens, too.

            Finds the admin port where 'serve' does: in the environment, then in the
            configuration file. In the container of a loopbridge it needs no options:
              docker exec CONTAINER /loopbridge health
            """)

    @OptionGroup var question: AdminQuestion

    @Flag(help: "Ask whether clients that come now are served.") var ready = false

    @Option(help: .duration("How long an answer may take.", standard: "3s"), transform: Duration.argument)
    var timeout = Duration.seconds(3)

    func run() throws {
        switch try question.ask(ready ? "/readyz" : "/healthz", limit: timeout) {
        case .success(let answer):
            print(answer.text, terminator: answer.text.hasSuffix("\n") ? "" : "\n")
            if answer.status != 200 { throw ExitCode(1) }
        case .failure(let error):
            for reason in error.reasons { StandardError.write("loopbridge: \(reason)") }
            throw ExitCode(1)
        }
    }
}

extension ArgumentHelp {
    /// Makes the help of an option that takes a duration.
    static func duration(_ text: String, standard: String) -> ArgumentHelp {
        ArgumentHelp("\(text) (default: \(standard))", valueName: "DURATION")
    }
}

extension Duration {
    /// The duration that an option's text says, of at least 10 ms.
    static func argument(_ text: String) throws -> Duration {
        guard let duration = durationValue(text), duration >= .milliseconds(10) else {
            throw ValidationError("expected a duration such as 3s, found '\(text)'")
        }
        return duration
    }
}
