import ArgumentParser
import Discovery
import Network

/// `loopbridge doctor`: what listens here, who can reach it, and what to do.
struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what listens here, who can reach it, and what to do.",
        discussion: """
            Looks at the TCP and UDP sockets of this network namespace, and needs no privileges for
            that; whose they are can be hidden from those who are not root.
            """)

    @Flag(help: "Print it as JSON, for machines.") var json = false

    func run() throws {
        let diagnosis = Diagnosis.current()
        if json {
            print(String(decoding: try DiagnosisReport(diagnosis).json(), as: UTF8.self), terminator: "")
        } else {
            print(DoctorText.render(diagnosis), terminator: "")
        }
    }
}
