import ArgumentParser
import Discovery
import EventLoop

/// Which of the ports that are found are to be bridged.
struct PortOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Bridge nothing but these ports, debuggers' ports too; separated by commas. [LOOPBRIDGE_ONLY]",
            valueName: "PORTS"))
    var only: String?

    @Option(
        help: ArgumentHelp(
            "Do not bridge these ports; separated by commas. [LOOPBRIDGE_EXCEPT]", valueName: "PORTS"))
    var except: String?

    /// What the command line says, or else the environment.
    func chosen() throws -> BridgePlan.Ports {
        BridgePlan.Ports(
            only: try Self.ports(only ?? ProcessStart.environment["LOOPBRIDGE_ONLY"] ?? ""),
            except: try Self.ports(except ?? ProcessStart.environment["LOOPBRIDGE_EXCEPT"] ?? ""))
    }

    private static func ports(_ text: String) throws -> Set<UInt16> {
        Set(
            try text.split { $0 == "," || $0 == " " }.map { part in
                guard let port = UInt16(part), port > 0 else {
                    throw ValidationError("'\(part)' is not a port between 1 and 65535")
                }
                return port
            })
    }
}
