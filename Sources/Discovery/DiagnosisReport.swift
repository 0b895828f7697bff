internal import FoundationEssentials
internal import Network

/// A ``Diagnosis`` as JSON. Its names are an interface, and stay.
public struct DiagnosisReport: Encodable, Sendable {
    struct Owner: Encodable {
        let pid: Int
        let name: String
    }

    struct Listener: Encodable {
        let address: String
        let port: UInt16
        /// `tcp` or `udp`.
        let `protocol`: String
        let processes: [Owner]
        let reachable: Bool
        let explanation: String
        let command: String?
        let caution: String?
    }

    let listeners: [Listener]
    let outsideAddresses: [String]
    let hiddenOwners: Int

    public init(_ diagnosis: Diagnosis) {
        outsideAddresses = diagnosis.outsideAddresses.map(\.description)
        hiddenOwners = diagnosis.hiddenOwners
        listeners = diagnosis.findings.map { finding in
            Listener(
                address: finding.endpoint.address.description, port: finding.endpoint.port,
                protocol: finding.transport.rawValue,
                processes: finding.owners.map { Owner(pid: $0.id, name: $0.name) }, reachable: finding.isReachable,
                explanation: finding.explanation(outside: diagnosis.outsideAddresses), command: finding.command,
                caution: finding.caution)
        }
    }

    /// Returns the report as JSON, indented so that people can read it too.
    /// - Throws: `EncodingError`, which cannot happen with what a diagnosis holds.
    public func json() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
    }
}
