/// A fault of a file that a route's `tls` names.
public struct TLSFileFault: Error, Sendable, Equatable {
    /// The key that names it.
    public enum Part: Sendable, Equatable {
        /// The pair by its index in ``TLSSettings/pairs``.
        case certificate(pair: Int)
        case key(pair: Int)
        case clientCA
    }

    public let part: Part
    /// One sentence without an end.
    public let message: String

    public init(_ part: Part, _ message: String) {
        self.part = part
        self.message = message
    }

    /// Where the keys stand that may have named it, as seen from the route: the first one that was given counts.
    fileprivate var places: [KeyPathText] {
        let tls = KeyPathText("tls")
        func place(_ name: String, _ pair: Int) -> KeyPathText {
            guard pair > 0 else { return tls.appending(name) }
            return tls.appending("certificates").appending(KeyPathText(index: pair - 1)).appending(name)
        }
        return switch part {
        case .certificate(let pair): [place("certificate", pair)]
        case .key(let pair): [place("key", pair), place("certificate", pair)]
        case .clientCA: [tls.appending("client_ca")]
        }
    }
}

extension LoadedConfiguration {
    /// Has the files looked at that the routes name, which a configuration says nothing about by itself.
    /// - Parameter check: tells what is wrong with those of a route's `tls`; nil where nothing is.
    /// - Throws: ``ConfigurationErrors`` with all that was found.
    public func checkFiles(_ check: (Route) -> TLSFileFault?) throws(ConfigurationErrors) {
        var diagnostics: [Diagnostic] = []
        for (index, route) in configuration.routes.enumerated() where route.tls.isEnabled {
            guard let fault = check(route) else { continue }
            let place = KeyPathText.route(index)
            let origin = fault.places.lazy.compactMap { origins[place.appending($0)] }.first
            let diagnostic = Diagnostic(fault.message, at: origin?.location ?? .commandLine)
            // A fault that routes have from 'defaults' is reported once.
            if !diagnostics.contains(diagnostic) { diagnostics.append(diagnostic) }
        }
        guard diagnostics.isEmpty else { throw errors(diagnostics) }
    }
}
