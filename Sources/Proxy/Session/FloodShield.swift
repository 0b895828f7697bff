internal import Access
internal import EventLoop
internal import Network

/// Keeps a flood of denied clients from costing anything: while there is one, the kernel drops what comes from
/// them by a filter at the listening socket.
///
/// While they are few, each is accepted and reset, so that a wrong list is easy to see. Belongs to its worker's thread.
final class FloodShield {
    private enum State {
        case down
        /// - drops: the socket's count of dropped segments, as far as it has been counted.
        case raised(by: AccessList, drops: UInt32)
        /// There is no filter for such a list, or the system takes none: each denied client is reset.
        case impossible
    }

    /// The acceptor owns the shield, and no other owner is there.
    private unowned let acceptor: Acceptor
    private let loop: EventLoop
    private let family: IPAddress.Family
    /// Scheduled while the shield is raised: a program that is idle is not woken up.
    private var look: Timer?
    private var state = State.down
    private var gauge = DenialGauge()
    /// The number of clients turned away since the last look, by the worker or by the kernel.
    private var denied = 0
    /// The number of segments that the kernel has dropped since the shield was raised.
    private var dropped = 0

    /// - Returns: nil where there is no address to tell clients apart by.
    init?(of acceptor: Acceptor, on loop: EventLoop) {
        guard let family = acceptor.socket.localAddress?.ipAddress?.family else { return nil }
        self.acceptor = acceptor
        self.loop = loop
        self.family = family
    }

    /// Notes a client that was accepted and denied.
    func noteDenied() {
        switch state {
        case .impossible: break
        // The client was in the backlog already; or the kernel takes a filter and does not use it.
        case .raised: denied += 1
        case .down: if gauge.note(at: .coarse), let rules { raise(by: rules) }
        }
    }

    /// Follows the rules of the acceptor's new route. A client that they admit is kept out no longer.
    func followRoute() {
        switch state {
        case .down: break
        case .impossible: state = .down
        case .raised(let former, let drops):
            guard let rules else { return lower() }
            guard rules != former else { return }
            if let filter = SourceFilter(rules, for: family), (try? acceptor.socket.attach(filter)) != nil {
                state = .raised(by: rules, drops: drops)
            } else {
                lower()
            }
        }
    }

    /// Counts the clients that were dropped since the last call as denied.
    ///
    /// The kernel does not say why it drops a segment: one for which the backlog has no room counts as a denied client's.
    /// That is rare while the flood does not reach the backlog.
    func countDropped() {
        guard case .raised(let rules, let before) = state, let drops = try? acceptor.socket.droppedSegments
        else { return }
        let fresh = Int(drops &- before)
        state = .raised(by: rules, drops: drops)
        guard fresh > 0 else { return }
        denied += fresh
        dropped += fresh
        acceptor.route.traffic.countDenied(fresh)
    }

    /// The rules for the kernel's filter; nil where addresses do not decide, and where everybody is admitted.
    private var rules: AccessList? {
        guard !acceptor.route.acceptsHeaders, let rules = acceptor.route.shared.door?.access, !rules.admitsEverybody
        else { return nil }
        return rules
    }

    private func raise(by rules: AccessList) {
        guard let filter = SourceFilter(rules, for: family) else { return giveUp(because: "there are too many blocks") }
        do throws(SystemError) {
            let timer: Timer
            if let look {
                timer = look
            } else {
                // The shield owns its timer, and no other owner is there.
                timer = try Timer(on: loop) { [unowned self] in takeLook() }
            }
            look = timer
            let drops = try acceptor.socket.droppedSegments
            try acceptor.socket.attach(filter)
            state = .raised(by: rules, drops: drops)
            (denied, dropped) = (0, 0)
            timer.schedule(after: .seconds(1))
            acceptor.route.worker.tellOfFlood(.begins(perSecond: DenialGauge.flood), on: acceptor.route)
        } catch {
            giveUp(because: error.description)
        }
    }

    private func takeLook() {
        countDropped()
        if gauge.isOver(denied: denied) { lower() } else { look?.schedule(after: .seconds(1)) }
        denied = 0
    }

    private func lower() {
        acceptor.socket.detachFilter()
        countDropped()
        look?.cancel()
        state = .down
        acceptor.route.worker.tellOfFlood(.ends(dropped: dropped), on: acceptor.route)
    }

    private func giveUp(because reason: String) {
        state = .impossible
        acceptor.route.worker.tellOfFlood(.cannotBeDropped(reason: reason), on: acceptor.route)
    }
}
