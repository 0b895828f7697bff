import ArgumentParser
import Configuration
import EventLoop
import Network

/// The address of a running loopbridge's admin port, as `health` and `top` take it.
///
/// The first of these that says anything is believed, a socket before an address: the command line, the environment, the
/// file. Where both are named the socket is asked first, and the address if nobody answers there.
struct AdminQuestion: ParsableArguments {
    @Option(help: ArgumentHelp("Ask on this Unix socket. [LOOPBRIDGE_ADMIN_SOCKET]", valueName: "PATH"))
    var adminSocket: String?

    @Option(help: ArgumentHelp("Ask at this address. [LOOPBRIDGE_ADMIN_LISTEN]", valueName: "[ADDRESS:]PORT"))
    var adminListen: String?

    @Option(
        name: [.customShort("c"), .long],
        help: ArgumentHelp(
            "The configuration file that names the admin port, where nothing else does.", valueName: "FILE"))
    var config: String?

    /// The addresses to ask, in this order.
    ///
    /// Ends the program with an explanation where nobody says it.
    func addresses() throws -> [SocketAddress] {
        let environment = ProcessStart.environment
        // Only what is asked for: a fault elsewhere is no reason not to ask.
        let names = ["LOOPBRIDGE_ADMIN_SOCKET", "LOOPBRIDGE_ADMIN_LISTEN"]
        let given = environment.filter { names.contains($0.key) && !$0.value.isEmpty }
        var sources: [ConfigurationSources] = []
        let options = ["admin-socket": adminSocket, "admin-listen": adminListen].compactMapValues { $0 }
        if !options.isEmpty { sources.append(ConfigurationSources(options: options)) }
        if options.isEmpty, !given.isEmpty { sources.append(ConfigurationSources(environment: given)) }
        var addresses: [SocketAddress] = []
        do throws(ConfigurationErrors) {
            for source in sources { addresses += try Self.addresses(in: source) }
            if options.isEmpty, given[names[1]] == nil {
                // The image names a socket for all, which may be impossible to have; the file an address for this one.
                let file = try ConfigurationFile.find(option: config, environment: environment)
                addresses += try Self.addresses(in: ConfigurationSources(file: file, environment: environment))
            }
        } catch {
            // A running loopbridge goes on by what it has read before, whatever is wrong with the file now.
            guard !addresses.isEmpty else {
                StandardError.write(report: error.report)
                throw ExitCode(1)
            }
        }
        var seen: Set<SocketAddress> = []
        addresses = addresses.filter { seen.insert($0).inserted }
        if !addresses.isEmpty { return addresses }
        StandardError.write(
            """
            loopbridge: there is no admin port to ask. Switch it on with LOOPBRIDGE_ADMIN_SOCKET=/PATH or \
            LOOPBRIDGE_ADMIN_LISTEN=ADDRESS:PORT, for loopbridge and for this command, or with 'admin' in the \
            configuration file
            """)
        throw ExitCode(1)
    }

    private static func addresses(in sources: ConfigurationSources) throws(ConfigurationErrors) -> [SocketAddress] {
        let admin = try LoadedConfiguration(sources, requiresRoutes: false).configuration.admin
        return (admin.socket.map { [.unix(path: $0)] } ?? []) + admin.listen.map(\.reachable)
    }

    /// Asks one address after the other until one answers.
    /// - Parameter limit: how long each may take.
    /// - Returns: the response, or why each has not given one.
    func ask(_ path: String, limit: Duration) throws -> Result<HTTPFetch.Response, NobodyAnswers> {
        var failures: [String] = []
        var last = ""
        for address in try addresses() {
            switch try HTTPFetch.run(path, from: address, limit: limit) {
            case .success(let response): return .success(response)
            case .failure(let failure):
                last = "\(failure)"
                failures.append("no answer from \(address): \(last)")
            }
        }
        return .failure(NobodyAnswers(reasons: failures, inShort: last))
    }
}

/// Nobody who was asked has answered.
struct NobodyAnswers: Error {
    /// One for each address.
    let reasons: [String]
    /// The last one's, without the address.
    let inShort: String
}

extension SocketAddress {
    /// The address to connect to in order to reach a listener on this address.
    fileprivate var reachable: SocketAddress {
        switch self {
        case .ip(.anyV4, let port, _): .ip(.loopbackV4, port: port)
        case .ip(.anyV6, let port, _): .ip(.loopbackV6, port: port)
        default: self
        }
    }
}
