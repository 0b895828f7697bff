public import EventLoop

/// Hands out watchers of files, one for each path however many follow it: the system has few to give (inotify(7)).
///
/// Belongs to its loop's thread.
public final class FileWatchers {
    private struct Entry {
        weak var watcher: SharedWatcher?
    }

    private let loop: EventLoop
    private var entries: [String: Entry] = [:]

    public init(on loop: EventLoop) {
        self.loop = loop
    }

    /// Follows a path from now on, until the follower that is returned has gone.
    /// - Parameters:
    ///   - path: need not lead anywhere yet.
    ///   - onChange: called on the loop's thread for each change; may read the file, and should ask ``FileFollower/hasNews()`` then.
    /// - Throws: ``SystemError`` when the system refuses to tell about files at all.
    public func follow(_ path: String, onChange: @escaping () -> Void) throws(SystemError) -> FileFollower {
        if let watcher = entries[path]?.watcher { return FileFollower(of: watcher, onChange) }
        entries = entries.filter { $0.value.watcher != nil }
        let watcher = try SharedWatcher(of: path, on: loop)
        entries[path] = Entry(watcher: watcher)
        return FileFollower(of: watcher, onChange)
    }

    /// The number of paths that are watched now.
    public var count: Int { entries.values.count { $0.watcher != nil } }
}

/// A path's watcher and those who follow it. Lives as long as one of them.
private final class SharedWatcher {
    private(set) var watcher: FileWatcher?
    private var handlers: [Int: () -> Void] = [:]
    private var lastNumber = 0

    init(of path: String, on loop: EventLoop) throws(SystemError) {
        watcher = try FileWatcher(path, on: loop) { [weak self] in self?.tell() }
    }

    func add(_ handler: @escaping () -> Void) -> Int {
        lastNumber += 1
        handlers[lastNumber] = handler
        return lastNumber
    }

    func remove(_ number: Int) {
        handlers[number] = nil
    }

    private func tell() {
        // A follower may end another one, or itself.
        for number in handlers.keys.sorted() { handlers[number]?() }
    }
}

/// The right to be told of a path's changes. Ends with its owner: nothing is told any more then, and the path is no longer
/// watched where nobody else follows it.
public final class FileFollower {
    private let watcher: SharedWatcher
    private let number: Int

    fileprivate init(of watcher: SharedWatcher, _ onChange: @escaping () -> Void) {
        self.watcher = watcher
        number = watcher.add(onChange)
    }

    deinit {
        watcher.remove(number)
    }

    /// See ``FileWatcher/isThere``.
    public var isThere: Bool { watcher.watcher?.isThere ?? false }

    /// See ``FileWatcher/obstacle``.
    public var obstacle: SystemError? { watcher.watcher?.obstacle }

    /// See ``FileWatcher/hasNews()``.
    public func hasNews() -> Bool { watcher.watcher?.hasNews() ?? false }

    /// See ``FileWatcher/tellEarlierChange()``.
    public func tellEarlierChange() { watcher.watcher?.tellEarlierChange() }
}
