internal import Passwords
internal import YAML

/// Reads the sources from the lowest to the highest, each over what the lower ones have left.
struct ConfigurationLoader {
    private(set) var draft = ConfigurationDraft()
    private(set) var diagnostics: [Diagnostic] = []
    /// Whether a source may have given routes that could not be read: their lack is no fault of its own then.
    private var hasTriedRoutes = false
    private(set) var filePath: String?
    /// The origin of each value that was given; all others have their default.
    private(set) var origins: [KeyPathText: ValueOrigin] = [:]
    /// The variables that the file names.
    private var fileVariables: Set<String> = []

    mutating func read(_ sources: ConfigurationSources) {
        if let file = sources.file { read(file, environment: sources.environment) }
        let variables = setVariables(sources.environment)
        readRoutes(variables: variables, arguments: sources.routes)
        readOptions(variables: variables, options: sources.options)
    }

    private mutating func read(_ file: ConfigurationFile, environment: [String: String]) {
        filePath = file.path
        do {
            let root = try YAMLNode(parsing: file.contents)
            var decoding = Decoding(path: file.path, environment: environment)
            decoding.mapping(root, into: &draft)
            diagnostics += decoding.diagnostics
            if triesRoutes(root) { hasTriedRoutes = true }
            origins = decoding.origins
            fileVariables = decoding.variables
        } catch {
            let beginning = error.beginning.map { Diagnostic.Location.file(path: file.path, position: $0) }
            diagnostics.append(
                Diagnostic(
                    error.message, at: .file(path: file.path, position: error.position),
                    note: beginning.map { Diagnostic.Note("it begins", at: $0) }))
            hasTriedRoutes = true
        }
    }

    /// Whether there is something in the place of routes, or of everything.
    private func triesRoutes(_ root: YAMLNode) -> Bool {
        guard case .mapping(let entries) = root.content else { return true }
        return entries.contains { $0.key.text == ConfigurationDraft.routesKey && $0.value.content != .sequence([]) }
    }

    /// The variables of loopbridge that are set, after reporting those that nobody knows.
    private mutating func setVariables(_ environment: [String: String]) -> [String: String] {
        let variables = environment.filter {
            $0.key.hasPrefix(ConfigurationOption.environmentPrefix) && !$0.value.isEmpty
                && !isServiceVariable($0.key, value: $0.value) && !fileVariables.contains($0.key)
        }
        let known =
            ConfigurationOption.all.map(\.environmentVariable)
            + [ConfigurationOption.routesVariable, ConfigurationOption.fileVariable]
            + ConfigurationOption.commandVariables
        for name in variables.keys.sorted() where !known.contains(name) {
            // The prefix, which is the same in all, would make any two names look alike.
            let nearest = nearestName(to: suffix(of: name), among: known.map(suffix))
            let advice =
                nearest.map { "did you mean \(ConfigurationOption.environmentPrefix)\($0)?" }
                ?? "expected \(listed(known))"
            diagnostics.append(
                Diagnostic("unknown environment variable; \(advice)", at: .environment(variable: name)))
        }
        return variables
    }

    private func suffix(of variable: String) -> String {
        String(variable.dropFirst(ConfigurationOption.environmentPrefix.count))
    }

    /// Routes from the command line, or else from the environment, in place of the file's.
    private mutating func readRoutes(variables: [String: String], arguments: [String]) {
        let variable = ConfigurationOption.routesVariable
        var given = arguments.map { (text: $0, location: Diagnostic.Location.routeArgument(text: $0)) }
        let fromEnvironment = (variables[variable] ?? "").split { $0 == "," || $0.isWhitespace }.map(String.init)
            .map { (text: $0, location: Diagnostic.Location.environmentRoute(variable: variable, text: $0)) }
        // Routes that the command line replaces are read all the same, so that their faults are reported.
        let replaced = given.isEmpty ? [] : fromEnvironment
        if given.isEmpty { given = fromEnvironment }
        for (text, location) in replaced { _ = read(route: text, at: location) }
        guard !given.isEmpty else { return }
        hasTriedRoutes = true
        draft.routes = given.compactMap { read(route: $0.text, at: $0.location) }
        origins = origins.filter { !$0.key.isInRoutes }
        for (index, route) in draft.routes.enumerated() {
            guard let upstream = route.upstream else { continue }
            let origin = ValueOrigin(location: upstream.location)
            origins[.route(index).appending("listen").appending(KeyPathText(index: 0))] = origin
            origins[.route(index).appending("upstream")] = origin
            if route.protocol != .tcp { origins[.route(index).appending("protocol")] = origin }
        }
    }

    private mutating func read(route text: String, at location: Diagnostic.Location) -> RouteDraft? {
        do {
            let route = try RouteArgument(text)
            return RouteDraft(
                listen: [Located(value: route.listen, location: location)],
                upstream: Located(value: route.upstream, location: location), protocol: route.protocol ?? .tcp,
                settings: draft.defaults)
        } catch {
            diagnostics.append(Diagnostic(error.message, at: location))
            return nil
        }
    }

    private mutating func readOptions(variables: [String: String], options: [String: String]) {
        for option in ConfigurationOption.all {
            guard let text = variables[option.environmentVariable] else { continue }
            apply(option, text, at: .environment(variable: option.environmentVariable))
        }
        for option in ConfigurationOption.all {
            guard let text = options[option.name] else { continue }
            apply(option, text, at: .option(name: option.name))
        }
        let known = ConfigurationOption.all.map(\.name)
        for name in options.keys.sorted() where !known.contains(name) {
            let advice =
                nearestName(to: name, among: known).map { "; did you mean --\($0)?" } ?? ""
            diagnostics.append(Diagnostic("unknown option\(advice)", at: .option(name: name)))
        }
    }

    private mutating func apply(_ option: ConfigurationOption, _ text: String, at location: Diagnostic.Location) {
        do {
            try option.apply(text, to: &draft)
            let keys = option.keys(setBy: text) + draft.routes.indices.compactMap { option.key(inRoute: $0) }
            for key in keys { origins[key] = ValueOrigin(location: location) }
        } catch {
            diagnostics.append(Diagnostic(error.message, at: location))
        }
    }

    /// Files of passwords are read once, to be sure that they can be. What stands in them is not shown.
    private mutating func checkPasswordFiles(of routes: [Route]) {
        var seen: Set<String> = []
        let origins = settingOrigins
        for (index, route) in routes.enumerated() where route.protocol.takesHTTP {
            guard let path = route.http.basicAuth.file, seen.insert(path).inserted else { continue }
            do {
                _ = try PasswordFile(at: path)
            } catch {
                let key = KeyPathText.route(index).appending("http").appending("basic_auth").appending("file")
                let position = error.line.map { YAMLPosition(line: $0, column: 1) }
                diagnostics.append(
                    Diagnostic(
                        error.reason, at: .file(path: error.path, position: position),
                        note: origins[key].map { Diagnostic.Note("the file is named", at: $0.location) }))
            }
        }
    }

    /// The routes, checked against each other as far as they could be read.
    mutating func finishedRoutes(required: Bool) -> [Route] {
        if required, draft.routes.isEmpty, !hasTriedRoutes {
            let location = filePath.map { Diagnostic.Location.file(path: $0, position: nil) } ?? .commandLine
            diagnostics.append(
                Diagnostic(
                    "no route is given; give one as an argument ('loopbridge 8080:8000'), in LOOPBRIDGE_ROUTES, "
                        + "or under 'routes' in the configuration file", at: location))
        }
        var check = RouteCheck()
        let adminOrigin = origins[KeyPathText("admin").appending("listen")]
        let routes = check.finish(
            draft.routes,
            admin: adminOrigin.map { Located(value: draft.settings.admin.listen, location: $0.location) })
        check.checkProxyProtocol(draft.settingsInUse, origins: settingOrigins)
        diagnostics += check.diagnostics + lackingCertificates
        checkPasswordFiles(of: routes)
        return routes
    }

    /// Settings of TLS without a certificate: surely nobody wants plain bytes then.
    private var lackingCertificates: [Diagnostic] {
        let inUse = draft.routes.enumerated().map { (KeyPathText.route($0), $1.settings.tls) }
        var found: [Diagnostic] = []
        for (place, tls) in inUse + [(KeyPathText("defaults"), draft.defaults.tls)] where !tls.isEnabled {
            let given = [
                ("key", tls.key != nil), ("certificates", !tls.certificates.isEmpty),
                ("client_ca", tls.clientCA != nil),
            ]
            for (name, isGiven) in given where isGiven {
                let key = place.appending("tls").appending(name)
                let first = key.appending(KeyPathText(index: 0)).appending("certificate")
                guard let origin = origins[key] ?? origins[first] else { continue }
                let diagnostic = Diagnostic(
                    "'\(name)' has no effect without a 'certificate' in the same 'tls'", at: origin.location)
                if !found.contains(diagnostic) { found.append(diagnostic) }
            }
        }
        return found
    }
}

/// Whether the variable is what Kubernetes sets in every pod for a Service whose name begins with "loopbridge"
/// (`LOOPBRIDGE_SERVICE_HOST`, `LOOPBRIDGE_PORT_80_TCP_ADDR`), which must not keep a sidecar from starting.
private func isServiceVariable(_ name: String, value: String) -> Bool {
    if name.hasSuffix("_SERVICE_HOST") || name.contains("_SERVICE_PORT") { return true }
    return name.contains("_PORT") && (value.contains("://") || name.contains(/_PORT_\d+_(TCP|UDP|SCTP)/))
}
