import ArgumentParser
import Discovery
import EventLoop

/// The choice among the ports that are found.
struct PortOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Bridge only these ports, separated by commas; debuggers' ports and ports that the kernel chose, too. [LOOPBRIDGE_ONLY]",
            valueName: "PORTS"))
    var only: String?

    @Option(
        help: ArgumentHelp(
            "Do not bridge these ports; separated by commas. [LOOPBRIDGE_EXCEPT]", valueName: "PORTS"))
    var except: String?

    /// The choice of the command line, or else of the environment.
    func chosen() throws -> BridgePlan.Ports {
        BridgePlan.Ports(
            only: try CommandSetting("only", only).read("ports such as 8000,8001", Self.ports) ?? [],
            except: try CommandSetting("except", except).read("ports such as 8000,8001", Self.ports) ?? [])
    }

    private static func ports(_ text: String) -> Set<UInt16>? {
        let parts = text.split { $0 == "," || $0 == " " }
        let ports = parts.compactMap { UInt16($0) }.filter { $0 > 0 }
        return ports.count == parts.count ? Set(ports) : nil
    }
}
