public import EventLoop
internal import Glibc
public import Network

/// Carries the datagrams of one listening socket: each client's through a flow of its own to the app, and the answers back
/// through the socket, so that they come from the address that the client has written to.
///
/// Datagrams stay what they are: as many, as long, and within a flow in the same order. What cannot be carried on is
/// dropped and counted, as it may be on any way. Belongs to its loop's thread.
public final class DatagramRelay: DescriptorEvent {
    /// Why a flow has ended.
    public enum End: Equatable, Sendable {
        /// Its owner has ended it.
        case ended
        /// Nobody listens at the app's address, as the kernel there has said.
        case refused
        /// The socket to the app has failed with this errno.
        case failed(CInt)
        /// Another client got its permit.
        case displaced
    }

    /// Why a client's datagrams are dropped.
    public enum Refusal: Error, Sendable {
        /// The client may not come in.
        case denied
        /// There are as many flows as there may be.
        case noPlace
        /// No new clients are taken any more.
        case draining
        /// The system gave no socket.
        case noSocket
        /// Nobody listens at any of the app's addresses.
        case nobodyListens
    }

    /// The one who decides over flows.
    public protocol Owner: AnyObject {
        /// Datagrams have come from somebody who has no flow, or whose flow was just refused.
        /// - Parameter attempt: how many flows were begun for these datagrams, and refused.
        /// - Returns: the flow to use, by ``DatagramRelay/addFlow(_:to:on:)``.
        func flow(for path: DatagramPath, attempt: Int, of relay: DatagramRelay) throws(Refusal) -> DatagramFlow
        /// A flow has ended.
        func ended(_ flow: DatagramFlow, _ end: End)
    }

    /// The account in which everything is counted.
    public var account: DatagramAccount
    private let socket: DatagramSocket
    private let workspace: DatagramWorkspace
    private weak var owner: (any Owner)?
    private var flowsByPath: [DatagramPath: DatagramFlow] = [:]
    /// Flows that carry answers only: their clients have others by now, or none.
    private var retired: [ObjectIdentifier: DatagramFlow] = [:]
    /// The one that was used last, for streams of datagrams.
    private var recent: DatagramFlow?
    /// The number of datagrams that are expected when the socket is readable.
    private var expected = 4
    /// The last call has brought as many as it asked for, and the kernel may have more.
    public private(set) var mayHaveMore = false
    private var overflow = ReceiveOverflow()

    /// Takes nothing before ``startWatching()``.
    /// - Parameter owner: not kept. Without it, datagrams of new clients are dropped.
    public init(
        _ socket: consuming DatagramSocket, in workspace: DatagramWorkspace, account: DatagramAccount,
        owner: any Owner
    ) {
        self.socket = socket
        self.workspace = workspace
        self.account = account
        self.owner = owner
        super.init(self.socket.number, on: workspace.loop, for: .readable, trigger: .level)
    }

    deinit {
        // The event goes first; the socket is closed when the stored properties are destroyed.
        stopWatchingToClose()
        // A flow that somebody still has says nothing to a relay that is gone.
        forEachFlow { flow, _ in
            flow.queue?.remove(flow)
            flow.stopWatching()
        }
    }

    /// The number of flows.
    public var flowCount: Int { flowsByPath.count + retired.count }

    /// Whether some carry answers only.
    public var hasRetiredFlows: Bool { !retired.isEmpty }

    /// Calls `body` with each flow, which it may end.
    public func forEachFlow(_ body: (DatagramFlow, _ isRetired: Bool) -> Void) {
        for flow in Array(flowsByPath.values) { body(flow, false) }
        for flow in Array(retired.values) { body(flow, true) }
    }

    /// Counts what the kernel has dropped since the last time because there was no room for it.
    /// - Parameter ofFlows: answers too, which takes a call for each flow that many have come on.
    public func countOverflow(ofFlows: Bool = false) {
        account.counters.dropped.overflowed += overflow.news(of: socket)
        guard ofFlows else { return }
        for flow in flowsByPath.values { countOverflow(of: flow) }
        for flow in retired.values { countOverflow(of: flow) }
    }

    private func countOverflow(of flow: DatagramFlow) {
        account.counters.dropped.overflowed += flow.overflowNews
    }

    // MARK: Flows

    /// Adds a flow for whom there is none.
    /// - Throws: ``SystemError`` when the kernel refuses to watch the socket.
    /// - Parameter upstream: where the socket leads.
    public func addFlow(
        _ path: DatagramPath, to upstream: DatagramFlow.Upstream, on socket: consuming DatagramSocket
    ) throws(SystemError) -> DatagramFlow {
        let flow = try DatagramFlow(path, to: upstream, on: socket, of: self, loop: workspace.loop)
        flowsByPath[path] = flow
        account.counters.flows += 1
        return flow
    }

    /// Ends a flow; its owner is told.
    public func end(_ flow: DatagramFlow, _ end: End = .ended) {
        if flowsByPath[flow.path] === flow { flowsByPath[flow.path] = nil }
        retired[ObjectIdentifier(flow)] = nil
        if recent === flow { recent = nil }
        flow.queue?.remove(flow)
        countOverflow(of: flow)
        account.counters.endedFlows += 1
        switch end {
        case .refused: account.counters.refusedFlows += 1
        case .displaced: account.counters.displacedFlows += 1
        case .ended, .failed: break
        }
        owner?.ended(flow, end)
    }

    /// Has all flows carry answers only from now on: what clients say next begins new ones.
    public func retireFlows() {
        for flow in flowsByPath.values {
            flow.queue?.remove(flow)
            retired[ObjectIdentifier(flow)] = flow
        }
        flowsByPath = [:]
        recent = nil
    }

    // MARK: To the app

    public override func becameReady(_ readiness: Readiness) {
        workspace.flush()
        let batch = workspace.batch
        defer { batch.clear() }
        guard case .received(let count) = batch.receive(from: socket, limit: expected) else {
            mayHaveMore = false
            return
        }
        mayHaveMore = count == expected
        expected = count == expected ? min(expected * 2, DatagramBatch.capacity) : max(count, 4)
        var start = 0
        while start < count {
            let path = batch.path(of: start)
            var end = start + 1
            while end < count, batch.path(of: end) == path { end += 1 }
            carry(start..<end, along: path)
            start = end
        }
    }

    /// Carries datagrams of one client.
    private func carry(_ range: Range<Int>, along path: DatagramPath) {
        var start = range.lowerBound
        var attempt = 0
        while start < range.upperBound {
            let flow: DatagramFlow
            do throws(Refusal) {
                if let known = self.flow(on: path) {
                    flow = known
                } else {
                    guard let owner else { throw Refusal.draining }
                    flow = try owner.flow(for: path, attempt: attempt, of: self)
                    attempt += 1
                }
            } catch {
                return drop(start..<range.upperBound, error)
            }
            recent = flow
            let untried = send(start..<range.upperBound, through: flow)
            start = range.upperBound - untried
            // A refusal may be about an earlier datagram, so that this one deserves another flow.
            if untried > 0 { end(flow, .refused) }
        }
    }

    private func drop(_ range: Range<Int>, _ cause: Refusal) {
        let count = range.reduce(into: UInt64(0)) { $0 += UInt64(workspace.batch[$1].count) }
        switch cause {
        case .denied: account.counters.dropped.denied += count
        case .noPlace: account.counters.dropped.noPlace += count
        case .draining: account.counters.dropped.draining += count
        case .noSocket: account.counters.dropped.noSocket += count
        case .nobodyListens: account.counters.dropped.refused += count
        }
    }

    private func flow(on path: DatagramPath) -> DatagramFlow? {
        if let recent, recent.path == path { return recent }
        return flowsByPath[path]
    }

    /// - Returns: how many of the last ones were not sent, because the app's kernel has refused one.
    private func send(_ range: Range<Int>, through flow: DatagramFlow) -> Int {
        let (batch, outgoing) = (workspace.batch, workspace.outgoing)
        for index in range {
            if batch.isCutOff(index) {
                account.counters.dropped.cutOff += 1
            } else {
                outgoing.append(batch[index], to: nil)
            }
        }
        let isNew = flow.datagramsToApp == 0
        var outcome = outgoing.send(on: flow.socket, isRefusalAnEnd: true)
        if isNew, outcome.untried == 0, flow.upstream.mayBeElsewhere, flow.socket.takeError() == ECONNREFUSED {
            // On this machine the answer is there at once, while the datagram still is.
            outcome = OutgoingDatagrams.Outcome()
            outcome.untried = range.count
        }
        flow.datagramsToApp += UInt64(outcome.datagrams)
        flow.bytesToApp += UInt64(outcome.bytes)
        account.counters.datagramsToApp += UInt64(outcome.datagrams)
        account.counters.bytesToApp += UInt64(outcome.bytes)
        account.counters.dropped.unsentToApp += UInt64(outcome.lost)
        flow.lastActivity = .coarse
        if !flow.awaitsAnswer {
            flow.awaitsAnswer = true
            // A client that speaks again after an answer has had it, so it is where it says. It keeps its permit.
            if flow.datagramsToClient > 0 { flow.queue?.remove(flow) }
        }
        return outcome.untried
    }

    // MARK: To the clients

    /// A flow's socket is readable: the app has said something, or its kernel has refused something.
    func receiveAnswers(of flow: DatagramFlow) {
        workspace.makeRoom(for: self)
        let (batch, outgoing) = (workspace.batch, workspace.outgoing)
        let first = batch.count
        switch flow.receive(into: batch) {
        case .nothing: return
        case .failed(ECONNREFUSED): end(flow, .refused)
        case .failed(let code): end(flow, .failed(code))
        case .received(let count):
            for index in first..<first + count {
                guard !batch.isCutOff(index) else {
                    account.counters.dropped.cutOff += 1
                    continue
                }
                let received = batch[index]
                flow.datagramsToClient += UInt64(received.count)
                flow.bytesToClient += UInt64(received.bytes.count)
                outgoing.append(received, to: flow.path)
            }
            flow.lastActivity = .coarse
            flow.awaitsAnswer = false
            workspace.answers(of: self)
        }
    }

    /// Sends the answers that are waiting.
    func sendAnswers() {
        let outcome = workspace.outgoing.send(on: socket)
        account.counters.datagramsToClients += UInt64(outcome.datagrams)
        account.counters.bytesToClients += UInt64(outcome.bytes)
        account.counters.dropped.unsentToClient += UInt64(outcome.lost)
    }
}
