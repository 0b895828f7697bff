internal import Network
internal import Observability

/// Finds what is allowed but surely not meant.
///
/// A warning that is wrong is worse than none. So a setting is held against another one only where it was given with
/// the same right: who overrides a value on the command line knows what the file says.
struct ConfigurationWarnings {
    let draft: ConfigurationDraft
    let origins: [KeyPathText: ValueOrigin]
    private let mayFindRoutes: Bool

    /// - Parameters:
    ///   - draft: a configuration without errors.
    ///   - origins: where its values were given.
    ///   - mayFindRoutes: whether routes may be found while the program runs.
    init(_ draft: ConfigurationDraft, origins: [KeyPathText: ValueOrigin], mayFindRoutes: Bool) {
        self.draft = draft
        self.origins = origins
        self.mayFindRoutes = mayFindRoutes
    }

    /// All of them, each once.
    var all: [Diagnostic] {
        var seen: Set<Diagnostic> = []
        let found =
            uselessAccessLog + uselessHalfCloseTimeouts + uselessSpares + unreachableListeners + accidentalPorts
            + uselessReuse + uselessWithDatagrams + uselessTLS + uselessOptionsOfHTTP + mistypedHosts
            + uselessTargetLengths
            + uselessTrust + uselessPools + uselessBursts + unusedDefaults
        return found.filter { seen.insert($0).inserted }
    }

    func warning(_ message: String, at origin: ValueOrigin, note: Diagnostic.Note? = nil) -> Diagnostic {
        Diagnostic(message, at: origin.location, note: note, severity: .warning)
    }

    /// A line for each connection is asked for, and no line of that level is written.
    private var uselessAccessLog: [Diagnostic] {
        let log = KeyPathText("log")
        let level = draft.settings.log.allLevels[.access]
        let levelKey =
            draft.settings.log.levels[.access] == nil
            ? log.appending("level") : log.appending("levels").appending("access")
        guard draft.settings.log.access, level > .info, let access = origins[log.appending("access")],
            let origin = origins[levelKey], access.rank >= origin.rank
        else { return [] }
        return [
            warning(
                "the access log is lost: its lines are of level info, and only \(level.rawValue) is logged",
                at: access, note: Diagnostic.Note("the level is set", at: origin.location))
        ]
    }

    var settingsInUse: [(place: KeyPathText, settings: RouteSettings)] { draft.settingsInUse }

    /// Silence ends a connection by the shorter one of both timeouts, half-closed or not.
    private var uselessHalfCloseTimeouts: [Diagnostic] {
        let builtIn = RouteSettings().halfCloseTimeout
        return settingsInUse.compactMap { place, settings in
            let idleTimeout = settings.idleTimeout ?? RouteProtocol.tcp.usualIdleTimeout
            guard settings.halfCloseTimeout > idleTimeout, settings.halfCloseTimeout != builtIn,
                let halfClose = origins[place.appending("half_close_timeout")],
                case let idle = origins[place.appending("idle_timeout")], halfClose.rank >= idle?.rank ?? 0
            else { return nil }
            return warning(
                "half_close_timeout \(durationText(settings.halfCloseTimeout)) has no effect: "
                    + "idle_timeout ends the connection after \(durationText(idleTimeout))",
                at: halfClose, note: idle.map { Diagnostic.Note("idle_timeout is set", at: $0.location) })
        }
    }

    /// A connection that is opened ahead has its source before it is known whose it will be.
    private var uselessSpares: [Diagnostic] {
        settingsInUse.compactMap { place, settings in
            guard settings.source == .perClient, settings.pool.spare > 0,
                let spare = origins[place.appending("pool").appending("spare")]
            else { return nil }
            return warning(
                "spare \(settings.pool.spare) has no effect: each client's connection comes from its own address",
                at: spare,
                note: origins[place.appending("source")].map { Diagnostic.Note("source is set", at: $0.location) })
        }
    }

    /// Warns of a burst without a rate.
    private var uselessBursts: [Diagnostic] {
        settingsInUse.compactMap { place, settings in
            guard settings.perClient.burst != nil, settings.perClient.rate == nil,
                let burst = origins[place.appending("per_client").appending("burst")]
            else { return nil }
            return warning("burst has no effect without a rate, such as 10/s", at: burst)
        }
    }

    /// From loopback to loopback: whoever can reach the listeners could reach the app before.
    private var unreachableListeners: [Diagnostic] {
        draft.routes.compactMap { route in
            guard let first = route.listen.first, route.upstream?.value.loopbackPort != nil,
                route.listen.allSatisfy({ $0.value.isLoopback })
            else { return nil }
            return Diagnostic(
                "this route listens on loopback only, as its app does: nobody outside can reach it",
                at: first.location, severity: .warning)
        }
    }

    /// Port 0, in a file that is meant to stay.
    private var accidentalPorts: [Diagnostic] {
        draft.routes.flatMap(\.listen).compactMap { listen in
            guard listen.value.port == 0, case .file = listen.location else { return nil }
            return Diagnostic(
                "port 0 lets the kernel choose, another port at each start", at: listen.location, severity: .warning)
        }
    }

    /// The file's defaults, where every route sets all of that itself. A file that says every key, as `check` writes
    /// it, does so for completeness.
    private var unusedDefaults: [Diagnostic] {
        let given = RouteSettings.keys.map(\.name).compactMap { name in
            origins[KeyPathText("defaults").appending(name)].map { (name: name, origin: $0) }
        }
        guard !mayFindRoutes, !draft.routes.isEmpty, given.count < RouteSettings.keys.count,
            given.allSatisfy({ $0.origin.isInFile }), let first = given.first
        else { return [] }
        let isUsed = given.contains { name, _ in
            draft.routes.indices.contains { index in
                origins[KeyPathText.route(index).appending(name)].map { $0.isInherited || !$0.isInFile } ?? true
            }
        }
        return isUsed
            ? [] : [warning("nothing starts from 'defaults': every route sets what is here itself", at: first.origin)]
    }
}

extension ValueOrigin {
    var isInFile: Bool {
        if case .file = location { true } else { false }
    }
}

extension ListenSpec {
    fileprivate var port: UInt16? {
        switch self {
        case .wildcards(let port): port
        case .address(let address): address.port
        case .unix, .inherited: nil
        }
    }

    fileprivate var isLoopback: Bool {
        switch self {
        case .wildcards, .unix, .inherited: false
        case .address(let address): address.isOnLoopback
        }
    }
}
