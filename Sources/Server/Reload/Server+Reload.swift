public import Configuration
internal import EventLoop
internal import Observability
internal import Proxy

extension Server {
    /// Replaces the configuration without disturbing what both have in common.
    ///
    /// Unchanged routes keep their listeners and connections. Changed routes serve new clients by their new settings, on the
    /// same sockets where the address is the same, and running connections go on as they began. Removed routes accept no
    /// more clients, and their connections have ``Configuration/drain`` to finish. A listener that cannot be had is reported
    /// in the log and tried again.
    ///
    /// The number of workers stays what it was. Does nothing before the start and while draining.
    /// - Returns: the difference; nil where nothing was done.
    public func reload(_ new: Configuration) -> ConfigurationDifference? {
        guard isRunning else { return nil }
        let (old, before) = (configuration, routes.configured)
        let difference = ConfigurationDifference(from: old, to: new)
        configuration = new
        configuration.workers = old.workers
        log.follow(new.log.allLevels, format: new.log.format)
        if new.log.access != old.log.access { workers.tell(.logAccess(new.log.access)) }

        var fresh: [Int] = []
        var superseded: [Int] = []
        routes.configured = zip(new.routes, difference.origins).map { route, origin in
            switch origin {
            case .unchanged(let index): return before[index]
            case .changed(let index):
                superseded.append(before[index])
                fresh.append(register(route, inPlaceOf: before[index]))
            case .added:
                fresh.append(register(route))
            }
            return fresh[fresh.count - 1]
        }
        let removed = difference.removed.map { before[$0] }
        for number in superseded + removed { retire(number) }
        if new.speaksTLS { ProcessLimits.keepMemoryPrivate() }
        followFiles(readingAgain: true)

        // First, since a route may want an address that the admin port had.
        admin.follow(new.admin)
        // Once for all routes: a socket may pass from any route to any other.
        listeners.hurry()
        listeners.update()
        // Only now, so that a socket that stays has a route at every moment.
        for number in superseded + removed { workers.tell(.removeRoute(number)) }
        for number in removed { removals.add(number, within: configuration.drain) }

        for index in difference.removed {
            log.info(
                "no longer forwarding to \(old.routes[index].upstream); connections may finish for up to "
                    + durationText(configuration.drain),
                ["route": .text(old.routes[index].name)])
        }
        announce(fresh)
        return difference
    }
}
