internal import Configuration
internal import EventLoop

/// Keeps the commands that failed for want of memory or descriptors, and those that depend on them, to be done again in order.
///
/// A command that was dropped would be missing for good: a route that one worker does not know, or a listening socket of which
/// the kernel goes on giving clients to nobody. Pure bookkeeping, on the worker's thread.
struct StalledCommands {
    private var commands: [WorkerCommand] = []
    /// The error of the latest attempt.
    private(set) var reason: SystemError?

    var isEmpty: Bool { commands.isEmpty }

    /// Whether the command depends on one that waits.
    func holdsUp(_ command: WorkerCommand) -> Bool {
        guard !commands.isEmpty, let route = command.neededRoute else { return false }
        return commands.contains { $0.addedRoute == route }
    }

    /// Keeps the command for later.
    /// - Parameter reason: the error; nil where the command depends on another one.
    mutating func add(_ command: WorkerCommand, because reason: SystemError? = nil) {
        commands.append(command)
        if let reason { self.reason = reason }
    }

    /// Returns all commands, to be tried again, and forgets them.
    mutating func takeAll() -> [WorkerCommand] {
        defer { commands = [] }
        return commands
    }

    /// Forgets a route, and closes its sockets.
    mutating func forget(route: Int) {
        commands.removeAll { $0.addedRoute == route || $0.neededRoute == route }
    }

    /// Forgets a listener, and closes its socket.
    mutating func forget(listener: Int) {
        commands.removeAll { $0.listener == listener }
    }

    /// Gives a listener that waits to another route.
    /// - Returns: whether the listener waits.
    mutating func handOver(listener: Int, to route: Int) -> Bool {
        guard let index = commands.firstIndex(where: { $0.listener == listener }) else { return false }
        let command = commands.remove(at: index)
        // At the end, for the route may wait too.
        commands.append(command.on(route: route))
        return true
    }

    /// The numbers of the routes that are not served completely.
    var routes: Set<Int> { Set(commands.compactMap { $0.addedRoute ?? $0.neededRoute }) }

    /// The names of the routes that wait to be added, by their numbers.
    var names: [Int: String] {
        var names: [Int: String] = [:]
        for case .addRoute(let number, let shared, workers: _) in commands {
            names[number] = shared.configuration.name
        }
        return names
    }
}

extension WorkerCommand {
    fileprivate var addedRoute: Int? {
        if case .addRoute(let number, _, workers: _) = self { number } else { nil }
    }

    /// The route that the command depends on.
    fileprivate var neededRoute: Int? {
        switch self {
        case .listen(listener: _, let route, _, turn: _, outlivesUs: _): route
        case .listenForDatagrams(listener: _, let route, _): route
        case .handOver(listener: _, toRoute: let route): route
        default: nil
        }
    }

    fileprivate var listener: Int? {
        switch self {
        case .listen(let listener, route: _, _, turn: _, outlivesUs: _): listener
        case .listenForDatagrams(let listener, route: _, _): listener
        case .handOver(let listener, toRoute: _): listener
        default: nil
        }
    }

    fileprivate func on(route: Int) -> WorkerCommand {
        switch self {
        case .listen(let listener, route: _, let socket, let turn, let outlivesUs):
            .listen(listener: listener, route: route, socket, turn: turn, outlivesUs: outlivesUs)
        case .listenForDatagrams(let listener, route: _, let socket):
            .listenForDatagrams(listener: listener, route: route, socket)
        case .handOver(let listener, toRoute: _): .handOver(listener: listener, toRoute: route)
        default: self
        }
    }
}
