internal import Access
internal import FileWatching
internal import Observability
internal import Passwords

/// Follows the files of passwords that routes use (`http.basic_auth`), and reads each once, however many routes use it.
///
/// Belongs to the control loop.
final class PasswordFiles {
    private typealias File = WatchedFile<PasswordFile, PasswordFile.Fault>

    private let watchers: FileWatchers
    private let log: Log
    private var files: [String: File] = [:]
    private var users: [BasicAuth] = []

    init(watchedBy watchers: FileWatchers, log: Log) {
        self.watchers = watchers
        self.log = log.part(.configuration)
    }

    /// Follows the files of these users from now on, and no others.
    /// - Parameter isAskedFor: whether files that are known already are read again.
    func follow(_ users: [BasicAuth], readingAgain isAskedFor: Bool = false) {
        self.users = users
        let paths = Set(users.map(\.path))
        files = files.filter { paths.contains($0.key) }
        for path in paths.sorted() {
            if let file = files[path], !isAskedFor {
                if let passwords = file.value { _ = use(passwords, of: path) }
                continue
            }
            let file = files[path] ?? makeFile(at: path)
            files[path] = file
            file.readAgain()
        }
    }

    private func makeFile(at path: String) -> File {
        File([path], watchedBy: watchers) { () throws(PasswordFile.Fault) in
            try PasswordFile(at: path)
        } onNews: { [weak self] in
            self?.take($0, of: path)
        }
    }

    private func take(_ news: File.News, of path: String) {
        switch news {
        case .read(let passwords, after: _):
            if use(passwords, of: path) { log.info("read the passwords in \(path)") }
        case .unusable(let fault, after: _):
            log.error("the passwords stay as they were: \(fault)")
        case .gone(let path):
            log.hasGone("a file of passwords", at: path)
        case .unwatchable(let path, let error):
            log.cannotWatch("a file of passwords", at: path, error)
        }
    }

    /// Replaces the passwords of all routes that use a file.
    /// - Returns: whether that changes who is let in.
    private func use(_ passwords: PasswordFile, of path: String) -> Bool {
        users.reduce(false) { hasChanged, user in
            (user.path == path && user.use(passwords)) || hasChanged
        }
    }
}
