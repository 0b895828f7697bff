import ArgumentParser
import Discovery
import EventLoop

/// Which of the ports that are found are to be bridged.
struct PortOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Bridge nothing but these ports, be they debuggers' or the kernel's choice; separated by commas. [LOOPBRIDGE_ONLY]",
            valueName: "PORTS"))
    var only: String?

    @Option(
        help: ArgumentHelp(
            "Do not bridge these ports; separated by commas. [LOOPBRIDGE_EXCEPT]", valueName: "PORTS"))
    var except: String?

    /// What the command line says, or else the environment.
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
