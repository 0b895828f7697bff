import ArgumentParser
import Configuration
import EventLoop
import Glibc
import Network
import Observability
import Server

/// `loopbridge demo`: the problem and its solution, before your eyes, with an app of its own.
struct Demo: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show an app on 127.0.0.1 answering from outside.",
        discussion: """
            Starts a small app that listens on 127.0.0.1 only, asks for its page at this
            machine's outside address, which is refused, starts a bridge to it, and asks
            again. On a terminal the bridge then stays for you to try with a browser,
            until Ctrl-C.
            """)

    @Option(help: ArgumentHelp("The port that the app listens on.", valueName: "PORT")) var appPort: UInt16 = 8000
    @Option(help: ArgumentHelp("The port that the bridge listens on.", valueName: "PORT")) var port: UInt16 = 8080

    func validate() throws {
        guard appPort > 0, port > 0, appPort != port else {
            throw ValidationError("The two ports must differ, and be between 1 and 65535.")
        }
    }

    func run() throws {
        guard let outside = try Self.outsideAddress() else {
            StandardError.write("loopbridge: the demo needs an address that is not loopback; this machine has none")
            throw ExitCode.cannotListen
        }
        let app = try DemoApp.start(port: appPort)
        print("The app listens on \(app), and nowhere else.\n")
        try show(.ip(outside, port: appPort))

        let configuration = try Configuration.load(ConfigurationSources(routes: ["\(port):\(appPort)"]))
        let log = Log(level: .warning, format: .text, writer: try .standardError())
        try ExitCode.afterServing {
            let stop = try Mailbox<Void>()
            let bridged = SocketAddress.ip(outside, port: port)
            let staysOpen = isatty(0) == 1 && isatty(1) == 1
            let succeeded = Handoff(true)
            try Thread.start(named: "visitor") {
                do {
                    print("$ loopbridge \(port):\(appPort)")
                    try DemoVisit.waitUntilListening(bridged)
                    try show(bridged)
                    if staysOpen {
                        print("Open http://\(bridged)/ in a browser, from another machine too. Ctrl-C ends the demo.")
                        return
                    }
                } catch {
                    StandardError.write("loopbridge: \(error)")
                    _ = succeeded.take()
                }
                stop.post(())
            }
            try Server.serve(configuration, log: log, stopRequests: stop)
            guard succeeded.take() != nil else { throw DemoError.notBridged }
        } log: {
            log
        }
    }

    /// Asks for the page and prints the result.
    private func show(_ address: SocketAddress) throws {
        print("$ curl http://\(address)/")
        print("\(try DemoVisit.fetch(address))\n")
    }

    /// An address at which others would look for this machine, IPv4 where it has one.
    private static func outsideAddress() throws -> IPAddress? {
        let addresses = try InterfaceAddresses.current().filter { !$0.isTentative }.map(\.address)
            .filter { !$0.isLoopback && !$0.isLinkLocal }
        return addresses.first { $0.family == .v4 } ?? addresses.first
    }
}

/// A failure of the demo itself.
enum DemoError: Error, CustomStringConvertible {
    case notBridged
    case portTaken(SocketAddress, SystemError)

    var description: String {
        switch self {
        case .notBridged: "the app did not answer through the bridge"
        case .portTaken(let address, let error):
            "the demo's app cannot listen on \(address): \(error.reason); try another --app-port"
        }
    }
}
