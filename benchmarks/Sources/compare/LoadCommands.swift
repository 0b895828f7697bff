import ArgumentParser
import Foundation
import Glibc
import LoadGenerators

/// Where a load goes.
struct Target: ParsableArguments {
    @Option var host: String
    @Option var port: Int
}

/// What starts and waits for a load generator reads these words from its output.
private func announceReadiness() {
    print("ready")
    fflush(nil)
}

/// A fixed number of requests.
struct CountedRequests: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "counted-requests", shouldDisplay: false)

    @OptionGroup var target: Target
    @Option var requests: Int
    @Option var connections = 1
    @Option var path = "/"
    @Flag var newConnections = false
    /// Waits for a line on standard input once the connections are open.
    @Flag var waits = false

    func run() throws {
        let load = FixedCountLoad(
            host: target.host, port: target.port, path: path, requests: requests, connections: connections)
        let connected = {
            announceReadiness()
            if waits { _ = readLine() }
        }
        if newConnections {
            try load.runOnNewConnections(connected: connected)
        } else {
            try load.runOnKeptConnections(connected: connected)
        }
        print("done")
    }
}

/// Requests at a fixed rate, and their latency as one line of JSON.
struct PacedRequests: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "paced-requests", shouldDisplay: false)

    @OptionGroup var target: Target
    // Not `--rate` and `--seconds`: the comparison itself has options of these names, and takes them first.
    @Option var perSecond: Int
    @Option var connections: Int
    @Option var duration: Double

    func run() throws {
        let load = FixedRateLoad(
            host: target.host, port: target.port, connections: connections, rate: perSecond, seconds: duration)
        let result = try load.run(connected: announceReadiness)
        func microseconds(_ percentile: Double) -> String {
            String(format: "%.1f", result.microseconds(percentile: percentile))
        }
        print(
            """
            {"requests":\(result.requests),"seconds":\(result.seconds),"errors":0,\
            "p50":\(microseconds(50)),"p99":\(microseconds(99)),"p999":\(microseconds(99.9))}
            """)
    }
}

/// Connections that do nothing, until standard input ends.
struct HeldConnections: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "held-connections", shouldDisplay: false)

    @OptionGroup var target: Target
    @Option var connections: Int

    func run() throws {
        let idle = try IdleConnections(host: target.host, port: target.port, count: connections)
        announceReadiness()
        _ = readLine()
        print("held \(idle.count)")
    }
}

/// When the first answer comes.
struct FirstByte: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "first-byte", shouldDisplay: false)

    @OptionGroup var target: Target

    func run() throws {
        announceReadiness()
        print(try FirstByteProbe(host: target.host, port: target.port).run(seconds: 10))
    }
}

/// Becomes another program, and says when.
struct StampedExec: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "stamped-exec", shouldDisplay: false)

    /// The file that gets the time, in nanoseconds of the monotonic clock.
    @Option var stamp: String
    @Argument(parsing: .postTerminator) var command: [String]

    func run() throws {
        // The path is looked up first, so that the time between the stamp and the program's first instruction is that
        // of one execve.
        let path = try command.first.map(StampedExec.path(of:)) ?? { throw ValidationError("no command") }()
        var arguments = command.map { strdup($0) }
        arguments.append(nil)
        let file = open(stamp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw ValidationError("cannot write \(stamp)") }
        let text = Array("\(Clock.now)\n".utf8)
        _ = write(file, text, text.count)
        execv(path, arguments)
        throw ValidationError("cannot execute \(path): \(String(cString: strerror(errno)))")
    }

    private static func path(of program: String) throws -> String {
        if program.contains("/") { return program }
        for folder in (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":") {
            let path = "\(folder)/\(program)"
            if access(path, X_OK) == 0 { return path }
        }
        throw ValidationError("there is no program \(program)")
    }
}

/// Datagrams as fast as they are answered, and what came of it as one line of JSON.
struct Datagrams: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "datagrams", shouldDisplay: false)

    @OptionGroup var target: Target
    @Option var clients: Int
    @Option var inFlight: Int
    @Option var size: Int
    @Option var duration: Double

    func run() throws {
        let load = DatagramLoad(
            host: target.host, port: target.port, clients: clients, inFlight: inFlight, size: size, seconds: duration)
        let result = try load.run()
        print("{\"answers\":\(result.answers),\"lost\":\(result.lost),\"seconds\":\(result.seconds)}")
    }
}

/// What answers them.
struct DatagramEchoApp: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "datagram-echo", shouldDisplay: false)

    @OptionGroup var target: Target

    func run() throws {
        try DatagramEcho(host: target.host, port: target.port).run()
    }
}
