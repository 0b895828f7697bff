internal import Configuration
internal import FileWatching
internal import Observability
internal import Proxy
internal import TLS

/// Follows the files of certificates and keys that routes use (`tls`), and reads those that belong together as one.
///
/// Belongs to the control loop.
final class Certificates {
    /// A route's name, and its certificates as the workers see them.
    typealias User = (route: String, tls: RouteTLS)
    private typealias Files = WatchedFile<TLSContext, TLSFault>

    private let watchers: FileWatchers
    private let log: Log
    /// Seals the session tickets of all routes.
    private let tickets = TicketKeys()
    /// The watched files by the routes' settings: routes with the same settings share what is read.
    private var files: [TLSServerSettings: Files] = [:]
    private var users: [User] = []
    /// The first fault that was found in a certificate or key.
    private(set) var firstFault: TLSFault?

    init(watchedBy watchers: FileWatchers, log: Log) {
        self.watchers = watchers
        self.log = log
    }

    /// Follows the files of these users from now on, and no others.
    /// - Parameter isAskedFor: whether files that are known already are read again.
    func follow(_ users: [User], readingAgain isAskedFor: Bool = false) {
        self.users = users
        let used = Set(users.map(\.tls.settings))
        files = files.filter { used.contains($0.key) }
        var seen: Set<TLSServerSettings> = []
        for settings in users.map(\.tls.settings) where seen.insert(settings).inserted {
            if let known = files[settings], !isAskedFor {
                if let context = known.value { use(context, for: settings) }
                continue
            }
            let known = files[settings] ?? makeFiles(for: settings)
            files[settings] = known
            known.readAgain()
        }
    }

    private func makeFiles(for settings: TLSServerSettings) -> Files {
        Files(settings.files.sorted(), watchedBy: watchers) { [tickets] () throws(TLSFault) in
            try TLSContext(settings, tickets: tickets)
        } onNews: { [weak self] in
            self?.take($0, for: settings)
        }
    }

    private func take(_ news: Files.News, for settings: TLSServerSettings) {
        switch news {
        case .read(let context, let path):
            log.hasChanged("a certificate's file", at: path)
            use(context, for: settings)
        case .unusable(let fault, let path):
            log.hasChanged("a certificate's file", at: path)
            firstFault = firstFault ?? fault
            let routes = users.filter { $0.tls.settings == settings }.map(\.route)
            log.error("\(fault); what was good before stays", ["route": .text(routes.joined(separator: ", "))])
        case .gone(let path):
            log.hasGone("a certificate's file", at: path)
        case .unwatchable(let path, let error):
            log.cannotWatch("a certificate's file", at: path, error)
        }
    }

    private func use(_ context: TLSContext, for settings: TLSServerSettings) {
        for user in users where user.tls.settings == settings { user.tls.use(context) }
    }
}

extension Configuration {
    /// Whether any route has TLS, or would have it when it is found while the server runs.
    var speaksTLS: Bool { defaults.tls.isEnabled || routes.contains { $0.tls.isEnabled } }
}
