/// The difference between a running configuration and the one that replaces it.
///
/// A route is the same one where its name is; where no route has the name, it is one that listens on an address in
/// common. So a route may change its listeners under its name, or its name on its listeners.
public struct ConfigurationDifference: Sendable, Equatable {
    /// The predecessor of a route of the new configuration, by its index among the old routes.
    public enum Origin: Sendable, Hashable {
        /// The route is the same.
        case unchanged(from: Int)
        case changed(from: Int)
        case added
    }

    /// The origin of each route of the new configuration; no old route is named twice.
    public let origins: [Origin]
    /// The indices of the old routes that have no successor.
    public let removed: [Int]
    /// The keys at the file's top level that differ, but for `routes`.
    public let settings: [String]
    /// Whether the number of workers differs, which takes a new start.
    public var changesWorkers: Bool { settings.contains(Self.workers) }
    private static let workers = "workers"

    /// Compares two configurations.
    public init(from old: Configuration, to new: Configuration) {
        let predecessors = Self.predecessors(of: new.routes, among: old.routes)
        origins = zip(new.routes, predecessors).map { route, predecessor in
            guard let predecessor else { return .added }
            return old.routes[predecessor] == route ? .unchanged(from: predecessor) : .changed(from: predecessor)
        }
        let kept = Set(predecessors.compactMap(\.self))
        removed = old.routes.indices.filter { !kept.contains($0) }
        // Routes are compared above; drafts that have none encode none.
        let (before, after) = (
            ConfigurationDraft(settings: old.settings, defaults: old.defaults),
            ConfigurationDraft(settings: new.settings, defaults: new.defaults)
        )
        settings = ConfigurationDraft.keys.filter { $0.encode(before) != $0.encode(after) }.map(\.name)
    }

    private static func predecessors(of routes: [Route], among old: [Route]) -> [Int?] {
        // Names are unique in a configuration that was validated.
        var byName = Dictionary(old.indices.map { (old[$0].name, $0) }) { first, _ in first }
        var predecessors = routes.map { byName.removeValue(forKey: $0.name) }
        var byPlace: [ListenPlace: Int] = [:]
        for index in byName.values.sorted(by: >) {
            for place in old[index].listenPlaces { byPlace[place] = index }
        }
        for (index, route) in routes.enumerated() where predecessors[index] == nil {
            guard let predecessor = route.listenPlaces.lazy.compactMap({ byPlace[$0] }).first else { continue }
            predecessors[index] = predecessor
            for place in old[predecessor].listenPlaces where byPlace[place] == predecessor { byPlace[place] = nil }
        }
        return predecessors
    }

    /// How many routes were added, changed, removed and left alone, in words: `1 route added, 3 unchanged`; and which
    /// settings outside of the routes differ.
    public var summary: String {
        var (added, changed, unchanged) = (0, 0, 0)
        for origin in origins {
            switch origin {
            case .added: added += 1
            case .changed: changed += 1
            case .unchanged: unchanged += 1
            }
        }
        let counts = [(added, "added"), (changed, "changed"), (removed.count, "removed"), (unchanged, "unchanged")]
            .filter { $0.0 > 0 }
        let routes = counts.enumerated().map { place, part in
            place == 0 ? "\(part.0) \(part.0 == 1 ? "route" : "routes") \(part.1)" : "\(part.0) \(part.1)"
        }
        let words = routes.isEmpty ? "no routes" : routes.joined(separator: ", ")
        let live = settings.filter { $0 != Self.workers }
        return live.isEmpty ? words : "\(words); changed besides: \(live.joined(separator: ", "))"
    }
}

/// An address and a transport, which only one route can have.
private struct ListenPlace: Hashable {
    let address: ListenAddress
    let transport: RouteProtocol.Transport
}

extension Route {
    fileprivate var listenPlaces: [ListenPlace] {
        listen.map { ListenPlace(address: $0, transport: `protocol`.transport) }
    }
}
