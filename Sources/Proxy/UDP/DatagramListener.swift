internal import Access
internal import Configuration
internal import EventLoop
internal import Memory
internal import Network
internal import Observability
internal import Relay
internal import Upstream

/// Takes a route's datagrams at one address, on one worker: decides which clients get a flow, and when a flow ends.
///
/// Belongs to its worker's thread, and is kept by the worker until its last flow has ended.
final class DatagramListener: Listener, DatagramRelay.Owner {
    private enum State {
        case open
        /// No new clients are taken; the listener ends with its last flow.
        case draining
        case ended
    }

    private(set) var route: WorkerRoute
    private let worker: WorkerContext
    private var datagrams: DatagramRoute
    private var state = State.open
    private var relay: DatagramRelay?
    private var sweep: Deadline?
    /// The number of times in a row that the sweep was put off because more was waiting than a turn reads.
    private var postponements = 0
    /// Called once, when no new clients are taken and the last flow has ended.
    private let onEnd: () -> Void
    /// The reason for the flows that are being ended.
    private var cause = FlowEnd.idleTimeout

    /// The shortest idle time after which a flow makes room for a new client, if its own client has never spoken after a
    /// response. A client under a false address hears no responses, so such flows displace each other; and each has had its
    /// time for a response.
    private static let shortestStay = Duration.seconds(1)
    /// The silence after a response that shows that a client has nothing to finish.
    private static let quiet = Duration.milliseconds(200)
    private static let drainingSweep = Duration.milliseconds(50)
    private static let (postponement, mostPostponements) = (Duration.milliseconds(10), 100)

    /// Makes a listener that takes nothing before ``resume()``.
    /// - Parameters:
    ///   - socket: taken once there is memory for all the rest.
    ///   - onEnd: called once, in a later turn of the loop, when the listener has ended.
    init(
        _ socket: Handoff<DatagramSocket>, route: WorkerRoute, datagrams: DatagramRoute,
        in workspace: DatagramWorkspace, onEnd: @escaping () -> Void
    ) throws(SystemError) {
        self.route = route
        self.datagrams = datagrams
        worker = route.worker
        self.onEnd = onEnd
        // The listener owns its deadline, and no other owner is there.
        sweep = try Deadline(on: worker.loop) { [unowned self] in sweepFlows($0) }
        if let socket = socket.take() {
            relay = DatagramRelay(socket, in: workspace, account: datagrams.account, owner: self)
        }
    }

    func resume() throws(SystemError) {
        if state != .ended { try relay?.startWatching() }
    }

    // MARK: Clients

    func flow(
        for path: DatagramPath, attempt: Int, of relay: DatagramRelay
    ) throws(DatagramRelay.Refusal) -> DatagramFlow {
        guard state == .open else { throw .draining }
        let clientPlace = try admit(path, isRetry: attempt > 0)
        guard attempt < datagrams.connector.candidateCount else {
            worker.appIsAway(route)
            throw .nobodyListens
        }
        var permit = try takePermit()
        permit.hold(clientPlace)
        do throws(SystemError) {
            let connection = try datagrams.connector.open(for: path.clientAddress?.ipAddress)
            let upstream = DatagramFlow.Upstream(
                address: connection.address, candidate: connection.candidate,
                mayBeElsewhere: datagrams.connector.candidateCount > 1)
            let flow = try relay.addFlow(path, to: upstream, on: connection.takeSocket())
            flow.context = FlowPermit(permit)
            route.tally.countConnection()
            datagrams.fleeting.append(flow)
            if sweep?.isScheduled == false { scheduleSweep() }
            return flow
        } catch {
            worker.cannotOpenFlow(error, on: route)
            throw .noSocket
        }
    }

    private func admit(_ path: DatagramPath, isRetry: Bool) throws(DatagramRelay.Refusal) -> ClientPermit? {
        guard let client = path.clientAddress else { return nil }
        do throws(ClientRefusal) {
            guard worker.memory.take(MemoryCost.flow, for: .newcomer) else { throw .memoryShort }
            return try route.admit(client, isRetry: isRetry)
        } catch {
            worker.noteRefusal(error, of: client, on: route)
            throw .denied
        }
    }

    /// The route on which a flow began, whose permit it has.
    private func route(of flow: DatagramFlow) -> WorkerRoute { (flow.context as? FlowPermit)?.route ?? route }

    private func takePermit() throws(DatagramRelay.Refusal) -> ConnectionPermit {
        if let permit = worker.takePermitForFlow(on: route) { return permit }
        guard let victim = datagrams.fleeting.idle(for: Self.shortestStay, at: .coarse) else { throw .noPlace }
        victim.displace()
        // Another worker may have been quicker.
        guard let permit = worker.takePermitForFlow(on: route) else { throw .noPlace }
        return permit
    }

    func ended(_ flow: DatagramFlow, _ end: DatagramRelay.End) {
        let reason: FlowEnd
        switch end {
        case .ended: reason = cause
        case .displaced: reason = .displaced
        case .failed(let code): reason = .appFailed(code)
        case .refused: reason = .appNotListening
        }
        let route = route(of: flow)
        if end == .refused {
            route.datagrams?.connector.refused(flow.upstream.candidate)
            if !flow.upstream.mayBeElsewhere { worker.appIsAway(route) }
        }
        // A flow that was refused at once only looked for the app: its datagram goes another way, or is dropped.
        let isOnlyALook = end == .refused && flow.datagramsToApp == 0
        if !isOnlyALook {
            worker.log(
                FlowSummary(
                    flow: flow, route: route.configuration.name, end: reason,
                    namesSource: route.app.sources.areWorthNaming))
        }
        // The relay has counted its bytes as they went.
        route.tally.countEnd(after: flow.started, bytesToApp: 0, bytesToClient: 0)
        if !isOnlyALook, let cause = reason.cause { route.tally.countFailure(cause) }
        flow.context = nil
        endIfDrained()
    }

    /// Takes clients on another route from now on.
    ///
    /// Where that leads to the same app, flows go on. Otherwise they carry the rest of the app's responses, and new
    /// datagrams of their clients go the new way.
    func handOver(to successor: WorkerRoute) {
        guard let relay, let new = successor.datagrams else { return }
        let (old, next) = (route.configuration, successor.configuration)
        if old.upstream == next.upstream, old.source == next.source,
            route.shared.connections === successor.shared.connections
        {
            new.adoptFlows(of: datagrams)
        } else {
            relay.retireFlows()
        }
        route = successor
        datagrams = new
        relay.account = new.account
        if relay.flowCount > 0 { scheduleSweep() }
    }

    // MARK: The end

    /// Takes no new clients any more, and ends with the last flow: flows that await a response go on.
    func drain() {
        guard state == .open else { return }
        state = .draining
        scheduleSweep()
        endIfDrained()
    }

    /// Ends the flows that are left: all, or those that began on one route.
    func abort(_ cause: FlowEnd, route number: Int? = nil) {
        let all = number == nil || number == route.number
        endFlows(cause) { flow, _ in all || self.route(of: flow).number == number }
    }

    /// The number of flows.
    var flowCount: Int { relay?.flowCount ?? 0 }

    /// Counts the datagrams that the kernel has dropped at the address.
    func countDropped() { relay?.countOverflow() }

    private func endFlows(_ cause: FlowEnd, where isMeant: (DatagramFlow, _ isRetired: Bool) -> Bool) {
        relay?.forEachFlow { flow, isRetired in
            guard isMeant(flow, isRetired) else { return }
            self.cause = cause
            relay?.end(flow)
        }
    }

    private func endIfDrained() {
        guard state == .draining, relay?.flowCount == 0 else { return }
        state = .ended
        sweep?.cancel()
        relay?.stopWatching()
        // Not at once: the relay may be ending a flow.
        worker.loop.onNextTurn(onEnd)
    }

    // MARK: Silence

    private func sweepFlows(_ hearing: Hearing) {
        // A datagram that waits may belong to a flow that seems silent.
        if let relay, relay.mayHaveMore, postponements < Self.mostPostponements {
            postponements += 1
            sweep?.schedule(after: Self.postponement)
            return
        }
        postponements = 0
        let isDraining = state == .draining
        if isDraining, !worker.isDraining, !route.isRemoved {
            return endFlows(.addressGone) { _, _ in true }
        }
        relay?.countOverflow(ofFlows: true)
        endFlows(.idleTimeout) { flow, isRetired in
            let route = isRetired ? self.route(of: flow) : route
            return hearing.silence(since: flow.lastActivity) >= route.configuration.idleTimeout
        }
        endFlows(.finished) { flow, isRetired in
            (isDraining || isRetired) && !flow.awaitsAnswer && hearing.silence(since: flow.lastActivity) >= Self.quiet
        }
        if let relay, relay.flowCount > 0 { scheduleSweep() }
    }

    /// Schedules the next look; so an idle timeout is late by up to an eighth.
    private func scheduleSweep() {
        let usual = min(max(route.configuration.idleTimeout / 8, .milliseconds(10)), .seconds(60))
        let longest =
            state == .draining ? Self.drainingSweep : relay?.hasRetiredFlows == true ? Self.quiet : usual
        sweep?.schedule(after: min(usual, longest))
    }
}

/// A flow's ``ConnectionPermit``, which the flow keeps to its end.
private final class FlowPermit {
    private let permit: ConnectionPermit

    init(_ permit: consuming ConnectionPermit) {
        self.permit = permit
    }

    var route: WorkerRoute { permit.route }
}
