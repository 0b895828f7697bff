internal import Configuration
internal import EventLoop
internal import Memory
internal import Observability
internal import Relay
internal import TLS

/// Holds what a worker's routes, listeners and sessions have in common: the loop and its buffers, the share of memory, the
/// sessions, and whether the worker is ending.
///
/// All of them hold on to it, and it knows nothing of the worker that has made it. Belongs to the worker's thread.
final class WorkerContext {
    let number: Int
    let environment: Worker.Environment
    let loop: EventLoop
    let workspace: RelayWorkspace
    /// The worker's share of the memory that is left.
    let memory: MemoryAllowance
    let clock = TurnClock()
    let sessions: SessionTable
    let passwords: PasswordDesk
    private(set) lazy var tlsWorkspace = TLSWorkspace()
    /// Whether each connection gets a line in the log when it ends.
    var logsAccess: Bool
    /// Whether the worker is ending: no more clients are to come.
    var isDraining = false
    var logScratch: [UInt8] = []
    private var connectionIDs = ConnectionIDs()
    private var retry: Timer?

    /// Called a while after ``outOfDescriptors(_:)``, when there may be descriptors and memory again.
    var onRetry: (() -> Void)?

    /// - Parameter commands: the worker's mailbox, through which other threads reply.
    init(
        _ number: Int, in environment: Worker.Environment, logsAccess: Bool, commands: Mailbox<WorkerCommand>,
        on loop: EventLoop
    ) throws(SystemError) {
        self.number = number
        self.environment = environment
        self.logsAccess = logsAccess
        self.loop = loop
        memory = MemoryAllowance(from: environment.memory, worker: number)
        workspace = RelayWorkspace(
            on: loop, parkingLimit: environment.parkingLimit, pipes: environment.pipes, memory: memory)
        sessions = try SessionTable(on: loop)
        passwords = try PasswordDesk(on: loop) { commands.post(.passwordChecked(ticket: $0, isRight: $1)) }
        // The context owns its timer, and no other owner is there.
        retry = try Timer(on: loop) { [unowned self] in onRetry?() }
    }

    /// See ``Server/appLife``.
    var appLife: (@Sendable () -> AppLife)? { environment.appLife }

    /// Returns an identifier for a connection that no other one has.
    func takeConnectionID() -> [UInt8] { connectionIDs.take() }

    /// Whether there is memory for one more client's connection.
    func hasMemoryForClient() -> Bool {
        let cost = MemoryCost.connection + (memory.includesSockets ? MemoryCost.buffers : 0)
        return memory.take(cost, for: .newcomer)
    }

    /// Takes a permit for a client that is about to be accepted; nil where there is none: the worker is told when there is room.
    func takePermit(on route: WorkerRoute) -> ConnectionPermit? {
        do throws(ConnectionPermit.Refusal) {
            return try ConnectionPermit(on: route, isWaitedFor: true)
        } catch {
            if error.isNews { warnOfWaitingClients(error.bound, on: route) }
            return nil
        }
    }

    /// Takes a permit for one more flow; nil where there is none, and the client's datagrams are dropped.
    func takePermitForFlow(on route: WorkerRoute) -> ConnectionPermit? {
        do throws(ConnectionPermit.Refusal) {
            return try ConnectionPermit(on: route, isWaitedFor: false)
        } catch {
            if error.isNews { warnOfDroppedDatagrams(error.bound, on: route) }
            return nil
        }
    }

    /// Tries again in a while, because the system has no descriptors or no memory left.
    func outOfDescriptors(_ error: SystemError) {
        guard let retry, !retry.isScheduled else { return }
        environment.listenersLog.warning("cannot accept connections for now", ["reason": .text(error.description)])
        retry.schedule(after: .seconds(1))
    }
}
