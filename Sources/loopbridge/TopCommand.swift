import ArgumentParser
import Configuration

/// `loopbridge top`: a running loopbridge's status, live, in a terminal.
struct Top: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show a running loopbridge's routes live, in a terminal.",
        discussion: """
            For each route: whether the app is there, clients that are connected and that
            wait, new connections and requests a second, bytes a second each way, the
            median and the 99th percentile of the last second's requests (with TCP: of
            connecting to the app), and failures since the start. Below, the workers, the
            process and the latest warnings.

            Keys: q or Ctrl-C ends it; up, down, Page Up and Page Down scroll.

            Where its output is no terminal it prints one table and ends, or --count of
            them. Exit codes: 0 done, 1 nobody has answered.
            """)

    @OptionGroup var question: AdminQuestion

    @Option(help: .duration("The time between two looks.", standard: "1s"), transform: Duration.argument)
    var interval = Duration.seconds(1)

    @Option(help: ArgumentHelp("End after so many looks.", valueName: "NUMBER")) var count: Int?

    @Option(help: .duration("How long an answer may take.", standard: "3s"), transform: Duration.argument)
    var timeout = Duration.seconds(3)

    func validate() throws {
        if let count, count < 1 { throw ValidationError("--count must be at least 1") }
    }

    func run() throws {
        let addresses = try question.addresses()
        let isLive = TerminalScreen.isThere
        let session = try TopSession(
            addresses, interval: interval, timeout: timeout, count: count ?? (isLive ? nil : 1),
            screen: isLive ? TerminalScreen() : nil)
        if try session.run() == .nobodyAnswered { throw ExitCode(1) }
    }
}
