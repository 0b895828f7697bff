public import EventLoop
internal import Glibc

/// Tells when the file that a path leads to has become another one, or has got other contents, and is whole again.
///
/// Follows the path through every link and directory on its way. A change is told once nothing has happened for a
/// moment: not in the middle of several, and not while a writer has the file open and has written to it. Nothing is
/// polled. Belongs to its loop's thread.
public final class FileWatcher {
    /// The state of a writer who may be at work on the file at this moment.
    private enum Writing: Equatable {
        case nobody
        /// The file has come or changed in a way that does not say whether it is whole. It counts as whole once it has not
        /// been written to for this long, or once its writer has closed it.
        case unknown(until: Duration)
        /// The file has been written to, and its writer has not closed it yet.
        case underWay
    }

    /// The meaning of news about a watched directory or file.
    private struct Watch {
        /// The names in the directory that the path goes through.
        var names: Set<String> = []
        /// The one of these names that is the file's own.
        var fileName: String?
        /// The file itself is watched, and no directory.
        var isFile = false
    }

    private let path: String
    private let inotify: Inotify
    private let onChange: () -> Void
    private var event: IOEvent?
    private var timer: Deadline?
    private var chain: PathChain
    private var watches: [CInt: Watch] = [:]
    private var writing = Writing.nobody
    /// The file's state when the news were last looked at.
    private var seen: PathChain.FileState?
    /// The time at which the first of the changes was noticed that have not been told yet.
    private var changed: MonotonicTime?

    /// The reason why a part of the way to the file cannot be watched; nil where all of it can. The rest is watched all the same.
    public private(set) var obstacle: SystemError?

    /// The time without events after which a change is told.
    private static let quiet = Duration.milliseconds(100)
    /// The time after which a change is told whatever else happens, unless the file is being written.
    private static let longestDelay = Duration.milliseconds(500)
    /// The time without a change after which a file counts as whole that has appeared with its directory or with a link to it,
    /// or that has changed without news.
    private static let quietAfterAppearance = Duration.seconds(1)
    /// The same for an empty file, though it has been closed: whoever opens it to write it anew makes it empty, and the news
    /// of that wait for the disk.
    private static let quietWhileEmpty = Duration.seconds(3)
    /// The same for a file that was created: nearly every writer closes it, so this seldom passes.
    private static let quietAfterCreation = Duration.seconds(10)

    /// Watches from now on.
    /// - Parameters:
    ///   - path: need not lead anywhere yet.
    ///   - onChange: called on the loop's thread; may read the file, and should ask ``hasNews()`` afterwards.
    /// - Throws: ``SystemError`` when the system refuses to tell about files at all.
    public init(_ path: String, on loop: EventLoop, onChange: @escaping () -> Void) throws(SystemError) {
        self.path = path
        self.onChange = onChange
        inotify = try Inotify()
        chain = PathChain(of: path)
        // Both end with this, and so do their calls.
        timer = try Deadline(on: loop) { [unowned self] _ in settle() }
        event = try IOEvent(inotify.number, on: loop, for: .readable, trigger: .level) { [unowned self] _ in
            _ = hasNews()
        }
        follow()
    }

    deinit {
        event = nil
    }

    /// Whether the path leads to a file.
    public var isThere: Bool { chain.file != nil }

    /// Returns whether anything has happened since the last change was told. If so, there will be another change to tell, and
    /// what has been read of the file since then may be half of it.
    public func hasNews() -> Bool {
        let events = inotify.takeEvents()
        var isNews = false
        for event in events where take(event) { isNews = true }
        // The news come after the fact, above all of a truncation, which waits for the disk in between. What changes
        // without any news, as a file that is mapped into memory does, is noticed here too.
        if !isNews, PathChain.state(ofFileAt: path) != seen {
            isNews = true
            writing = .unknown(until: Self.quietAfterAppearance)
        }
        if isNews {
            follow()
            scheduleSettling()
        }
        return changed != nil || writing == .underWay
    }

    /// Tells a change that happened before this watcher began, once the file has not been written to for a second: its writer
    /// may not be done yet.
    public func tellEarlierChange() {
        if writing == .nobody { writing = .unknown(until: Self.quietAfterAppearance) }
        scheduleSettling()
    }

    /// - Returns: whether the event concerns the path.
    private func take(_ event: Inotify.Event) -> Bool {
        if event.kind.contains(.overflow) { return true }
        guard let watch = watches[event.watch] else { return false }
        if event.name.isEmpty {
            guard watch.isFile else { return !event.kind.isDisjoint(with: [.selfDeleted, .selfMoved]) }
            if event.kind.contains(.modified) { writing = .underWay }
            if event.kind.contains(.written) { writing = .nobody }
            return !event.kind.isDisjoint(with: [.modified, .written, .attributes, .selfDeleted, .selfMoved])
        }
        guard watch.names.contains(event.name) else { return false }
        let isFilesName = event.name == watch.fileName
        if event.kind.contains(.written) {
            guard isFilesName else { return false }
            writing = .nobody
        } else if event.kind.contains(.created) {
            // A file in a new directory, or behind a new link, may have been created before it is watched.
            let isFile = isFilesName && chain.steps.last.map(PathChain.isLink) != true
            writing = .unknown(until: isFile ? Self.quietAfterCreation : Self.quietAfterAppearance)
        } else {
            writing = .nobody
        }
        return true
    }

    /// Watches the directories that the path leads through now, and the file.
    private func follow() {
        seen = PathChain.state(ofFileAt: path)
        // While watches are added, the path may change: once more then, but not forever.
        for _ in 0..<8 {
            let before = PathChain(of: path)
            watch(before)
            chain = PathChain(of: path)
            if chain == before { return }
        }
        scheduleSettling()
    }

    private func watch(_ chain: PathChain) {
        var new: [CInt: Watch] = [:]
        obstacle = nil
        for (index, step) in chain.steps.enumerated() where step.identity != nil {
            let isLast = index == chain.steps.count - 1
            do throws(SystemError) {
                let number = try inotify.watch(directory: step.directory)
                new[number, default: Watch()].names.insert(step.name)
                if isLast { new[number]?.fileName = step.name }
            } catch {
                // A directory on the way that may be passed but not read is nothing unusual.
                note(error, isExpected: !isLast && error.code == EACCES)
            }
        }
        if let file = chain.file {
            do throws(SystemError) {
                let number = try inotify.watch(file: file)
                new[number] = Watch(isFile: true)
            } catch {
                note(error, isExpected: false)
            }
        }
        for number in watches.keys where new[number] == nil { inotify.end(watch: number) }
        watches = new
    }

    /// - Parameter isExpected: the change will be told without this watch too.
    private func note(_ error: SystemError, isExpected: Bool) {
        // A step that has gone meanwhile is noticed when the path is looked at again.
        if isExpected || error.code == ENOENT || error.code == ENOTDIR { return }
        obstacle = obstacle ?? error
    }

    private func scheduleSettling() {
        let now = MonotonicTime.now
        let first = changed ?? now
        changed = first
        timer?.schedule(after: min(Self.quiet, max(Self.longestDelay - now.since(first), .zero)))
    }

    private func settle() {
        let limit: Duration
        switch writing {
        case .underWay:
            // The end of the writing is an event of its own.
            changed = nil
            return
        case .unknown(let duration): limit = duration
        case .nobody: limit = PathChain.state(ofFileAt: path)?.isEmpty == true ? Self.quietWhileEmpty : .zero
        }
        if let age = chain.fileAge, .zero <= age, age < limit {
            timer?.schedule(after: limit - age)
            return
        }
        writing = .nobody
        changed = nil
        onChange()
    }
}
