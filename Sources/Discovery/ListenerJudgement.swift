/// The reasons against bridging a loopback-only listener, by all that is known of it. A pure function.
enum ListenerJudgement {
    /// - Parameters:
    ///   - owners: the processes that have the socket open; none where this user may not see them.
    ///   - suspects: the processes that may be an owner, where none can be seen.
    ///   - contents: reads a small file by the path that the process would open it by.
    /// - Returns: nil where nothing speaks against it.
    static func obstacle(
        at port: UInt16, owners: [ProcessDetails], suspects: [ProcessDetails] = [], kernelChoice: KernelChoice,
        contents: (ProcessDetails, String) -> String? = { $0.contents(ofFile: $1) }
    ) -> BridgePlan.Obstacle? {
        for process in owners.isEmpty ? suspects : owners {
            let claims = PrivateService.claims(of: process.command, environment: process.environment) {
                contents(process, $0)
            }
            if let claim = claims.first(where: { $0.ports.contains(port) }) {
                return .privateService(claim.service, .option(claim.option))
            }
        }
        let eldest = eldest(of: owners)
        for process in eldest + suspects.filter({ owners.isEmpty && $0.names(port) }) {
            if let service = PrivateService(of: process.command) {
                return .privateService(
                    service, .program(process.command.script ?? process.command.names.first ?? process.name))
            }
        }
        let runtimes: [PrivateService.Runtime?] = eldest.isEmpty ? [nil] : eldest.map(\.command.runtime)
        for runtime in runtimes {
            if let service = PrivateService.usual(at: port, in: runtime) { return .privateService(service, .usualPort) }
        }
        return kernelChoice.covers(port) ? .chosenByKernel : nil
    }

    /// The processes that have opened the socket themselves: a child of another owner has inherited it, maybe without
    /// knowing.
    static func eldest(of owners: [ProcessDetails]) -> [ProcessDetails] {
        let ids = Set(owners.map(\.id))
        return owners.filter { process in process.parent.map { !ids.contains($0) } ?? true }
    }
}

extension ProcessDetails {
    /// Whether the process's command line has this number.
    fileprivate func names(_ port: UInt16) -> Bool {
        SaidPorts.numbers(in: arguments.joined(separator: " ")).contains(port)
    }
}
