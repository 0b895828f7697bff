public import EventLoop

/// A value that is read from files, and read again whenever one of them changes.
///
/// The last good value stays until there is another good one. A file that is being written is read once it is whole. Belongs to
/// its loop's thread. Nothing is watched any more once this has gone.
public final class WatchedFile<Value, Fault: Error> {
    /// A change of the files, or of what is known of them.
    public enum News {
        /// The files hold a good value, which is ``WatchedFile/value`` from now on.
        /// - after: the path of the file that has changed; nil after ``WatchedFile/readAgain()``.
        case read(Value, after: String?)
        /// The files hold no good value; the last good one stays.
        /// - after: as with a good value.
        case unusable(Fault, after: String?)
        /// A file is not there any more; the last good value stays. Told once, until the file is there again.
        case gone(path: String)
        /// The system refuses to watch a file, whose changes are noticed by ``WatchedFile/readAgain()`` alone. Told once.
        case unwatchable(path: String, SystemError)
    }

    /// The last good value; nil where there has been none.
    public private(set) var value: Value?

    private let paths: [String]
    private let watchers: FileWatchers
    private let read: () throws(Fault) -> Value
    private let onNews: (News) -> Void
    private var followers: [String: FileFollower] = [:]
    private var gone: Set<String> = []
    private var unwatchable: Set<String> = []

    /// Neither reads nor watches anything yet.
    /// - Parameters:
    ///   - paths: the files to watch; none where only ``readAgain()`` is to read.
    ///   - read: reads all of them.
    ///   - onNews: called on the loop's thread, while ``readAgain()`` and ``follow()`` run too.
    public init(
        _ paths: [String], watchedBy watchers: FileWatchers, read: @escaping () throws(Fault) -> Value,
        onNews: @escaping (News) -> Void
    ) {
        self.paths = paths
        self.watchers = watchers
        self.read = read
        self.onNews = onNews
    }

    /// Watches the files from now on. A file that cannot be watched is tried again each time.
    public func follow() {
        for path in paths where followers[path] == nil {
            do throws(SystemError) {
                let follower = try watchers.follow(path) { [weak self] in self?.fileChanged(path) }
                followers[path] = follower
                note(follower.obstacle, at: path)
            } catch {
                note(error, at: path)
            }
        }
    }

    /// Reads the files now, and watches them from now on.
    public func readAgain() {
        // First, so that no change is missed in between.
        follow()
        settle(attempt(), after: nil)
    }

    /// Reads the files, and tells a change where they hold another value than what was read before they were watched, once they
    /// have not been written to for a second.
    /// - Parameter isCurrent: whether a value is the one that was read before.
    public func tellEarlierChange(unless isCurrent: (Value) -> Bool) {
        if case .success(let value) = attempt(), isCurrent(value) { return }
        for follower in followers.values { follower.tellEarlierChange() }
    }

    private func attempt() -> Result<Value, Fault> {
        Result { () throws(Fault) in try read() }
    }

    private func fileChanged(_ path: String) {
        guard let follower = followers[path] else { return }
        guard follower.isThere else {
            if gone.insert(path).inserted { onNews(.gone(path: path)) }
            return
        }
        gone.remove(path)
        note(follower.obstacle, at: path)
        let result = attempt()
        // Somebody began to write meanwhile: this may be half of it, and the end of that is news again.
        guard !followers.values.contains(where: { $0.hasNews() }) else { return }
        settle(result, after: path)
    }

    private func settle(_ result: Result<Value, Fault>, after path: String?) {
        switch result {
        case .success(let value):
            self.value = value
            onNews(.read(value, after: path))
        case .failure(let fault):
            onNews(.unusable(fault, after: path))
        }
    }

    private func note(_ obstacle: SystemError?, at path: String) {
        guard let obstacle else {
            unwatchable.remove(path)
            return
        }
        if unwatchable.insert(path).inserted { onNews(.unwatchable(path: path, obstacle)) }
    }
}
