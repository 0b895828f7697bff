import ArgumentParser
import EventLoop
import Network
import Server

/// The program: its commands, and what they have in common.
@main
struct Loopbridge: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "loopbridge",
        abstract: "Makes an app that listens only on loopback answer from outside.",
        usage: """
            loopbridge [serve] [OPTIONS] [ROUTE ...]
            loopbridge run [OPTIONS] [ROUTE ...] -- COMMAND [ARGUMENT ...]
            loopbridge auto [OPTIONS]
            loopbridge check [OPTIONS] [ROUTE ...]
            loopbridge doctor [--json]
            loopbridge health [--ready]
            loopbridge top
            loopbridge demo
            """,
        discussion: """
            A ROUTE says where to listen and where the app is, as docker -p does:
              [LISTEN_ADDRESS:][LISTEN_PORT:][UPSTREAM_HOST:]UPSTREAM_PORT

            EXAMPLES
              loopbridge 8000
                  the same port: port 8000 of every non-loopback address, to localhost:8000
              loopbridge 8080:8000
                  port 8080 of every address, to localhost:8000
              loopbridge 192.0.2.1:8080:127.0.0.1:8000
                  one address, to 127.0.0.1 only
              loopbridge 8080:unix:/run/app.sock
                  to a Unix socket
              loopbridge unix:/run/web.sock:8000
                  from a Unix socket
              loopbridge run -- python3 manage.py runserver 127.0.0.1:8000
                  the app as a child, and whatever it listens on bridged at the same port
              loopbridge --hold 1m 8080:8000
                  clients may wait a minute for the app to start
              loopbridge check --config loopbridge.yaml
                  what a configuration file means, without starting
              loopbridge --admin-listen 9901 8080:8000
                  with metrics, health and a status page at port 9901

            'loopbridge serve --help' lists the options. Tab completion: loopbridge
            --generate-completion-script bash (or zsh, fish).
            """,
        version: "loopbridge \(Server.version)",
        subcommands: [Serve.self, Run.self, Auto.self, Check.self, Doctor.self, Health.self, Top.self, Demo.self],
        defaultSubcommand: Serve.self)

    static func main() {
        // First, for another descriptor could have the number of one that was not passed after all.
        _ = InheritedSockets.ofProcess
        ProcessLimits.openStandardDescriptors()
        main(Run.withoutCommand(Array(ProcessStart.arguments.dropFirst())))
    }
}
