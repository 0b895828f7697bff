import ArgumentParser
import Discovery
import FoundationEssentials
import Network

/// `loopbridge doctor`: what listens here, who can reach it, and what to do.
struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what listens here, who can reach it, and what to do.",
        discussion: """
            Looks at the TCP sockets of this network namespace, and needs no privileges for
            that; whose they are can be hidden from those who are not root.
            """)

    @Flag(help: "Print it as JSON, for machines.") var json = false

    func run() throws {
        let diagnosis = Diagnosis.current()
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(DoctorReport(diagnosis)), as: UTF8.self))
        } else {
            print(DoctorText.render(diagnosis), terminator: "")
        }
    }
}

/// The diagnosis as machines get it. Its names are an interface: they stay.
private struct DoctorReport: Encodable {
    struct Owner: Encodable {
        let pid: Int
        let name: String
    }

    struct Listener: Encodable {
        let address: String
        let port: UInt16
        let processes: [Owner]
        let reachable: Bool
        let explanation: String
        let command: String?
        let caution: String?
    }

    let listeners: [Listener]
    let outside_addresses: [String]
    let hidden_owners: Int

    init(_ diagnosis: Diagnosis) {
        outside_addresses = diagnosis.outsideAddresses.map(\.description)
        hidden_owners = diagnosis.hiddenOwners
        listeners = diagnosis.findings.map { finding in
            Listener(
                address: finding.endpoint.address.description, port: finding.endpoint.port,
                processes: finding.owners.map { Owner(pid: $0.id, name: $0.name) }, reachable: finding.isReachable,
                explanation: finding.explanation(outside: diagnosis.outsideAddresses), command: finding.command,
                caution: finding.caution)
        }
    }
}
