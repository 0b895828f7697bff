import EventLoop
import FileWatching
import Glibc
import TestSupport
import Testing

/// The time in which a change must be told: generous, since the machine may be busy.
private let promptly = Duration.seconds(10)

@Suite(.timeLimit(.minutes(1)), .serialized) final class FileWatcherTests {
    private let loop: EventLoop
    private let folder = Folder()
    private var watcher: FileWatcher?
    private var told = 0

    init() throws {
        loop = try EventLoop()
    }

    private func watch(_ name: String) throws -> FileWatcher {
        let watcher = try FileWatcher("\(folder.path)/\(name)", on: loop) { [unowned self] in told += 1 }
        #expect(watcher.obstacle == nil)
        self.watcher = watcher
        return watcher
    }

    /// Whether a change is told, once, within the limit.
    private func isTold(within limit: Duration = promptly) throws -> Bool {
        let before = told
        return try loop.run(until: { [unowned self] in told > before }, atMost: limit) && told == before + 1
    }

    private func nothingIsTold(for duration: Duration = .milliseconds(700)) throws -> Bool {
        let before = told
        return try !loop.run(until: { [unowned self] in told > before }, atMost: duration)
    }

    @Test func whatDoesNotConcernTheFileIsNotTold() throws {
        try folder.write("config.yaml", "one")
        _ = try watch("config.yaml")
        try folder.write("another.yaml", "one")
        folder.rename("another.yaml", to: "third.yaml")
        folder.remove("third.yaml")
        folder.makeFolder("empty")
        #expect(folder.read("config.yaml") == "one")
        #expect(try nothingIsTold())
    }

    @Test func anOverwrittenFileIsTold() throws {
        try folder.write("config.yaml", "one")
        let watcher = try watch("config.yaml")
        #expect(watcher.isThere)
        for round in 0..<3 {
            try folder.write("config.yaml", "round \(round)")
            #expect(try isTold())
            #expect(!watcher.hasNews())
        }
    }

    @Test func aFileThatIsRenamedOverIsTold() throws {
        try folder.write("config.yaml", "one")
        _ = try watch("config.yaml")
        for round in 0..<3 {
            try folder.write("config.yaml.tmp", "round \(round)")
            folder.rename("config.yaml.tmp", to: "config.yaml")
            #expect(try isTold())
        }
        // The file of now is watched, not the one of the beginning.
        try folder.write("config.yaml", "the end")
        #expect(try isTold())
    }

    @Test func aFileMayGoAndComeBack() throws {
        try folder.write("config.yaml", "one")
        let watcher = try watch("config.yaml")
        folder.remove("config.yaml")
        #expect(try isTold())
        #expect(!watcher.isThere)
        try folder.write("config.yaml", "two")
        #expect(try isTold())
        #expect(watcher.isThere)
    }

    /// As Kubernetes mounts a ConfigMap: the file is a link through `..data`, which is a link to a folder of its own.
    @Test func aSwappedLinkOnTheWayIsTold() throws {
        folder.makeFolder("..1")
        try folder.write("..1/config.yaml", "one")
        folder.link("..data", to: "..1")
        folder.link("config.yaml", to: "..data/config.yaml")
        _ = try watch("config.yaml")
        for version in 2...4 {
            folder.makeFolder("..\(version)")
            try folder.write("..\(version)/config.yaml", "version \(version)")
            folder.link("..data_tmp", to: "..\(version)")
            folder.rename("..data_tmp", to: "..data")
            folder.remove("..\(version - 1)/config.yaml")
            folder.remove("..\(version - 1)")
            #expect(try isTold())
            #expect(folder.read("config.yaml") == "version \(version)")
        }
    }

    @Test func aFolderMayGoAndComeBack() throws {
        folder.makeFolder("a")
        folder.makeFolder("a/b")
        try folder.write("a/b/config.yaml", "one")
        let watcher = try watch("a/b/config.yaml")
        folder.remove("a/b/config.yaml")
        folder.remove("a/b")
        folder.remove("a")
        #expect(try isTold())
        folder.makeFolder("a")
        folder.makeFolder("a/b")
        try folder.write("a/b/config.yaml", "two")
        let isBack = try loop.run(until: { [unowned self] in told > 1 && watcher.isThere })
        #expect(isBack)
    }

    @Test func aPathMayLeadNowhereAtFirst() throws {
        let watcher = try watch("later/config.yaml")
        #expect(!watcher.isThere)
        folder.makeFolder("new")
        try folder.write("new/config.yaml", "one")
        folder.rename("new", to: "later")
        #expect(try isTold())
        #expect(watcher.isThere)
    }

    @Test func aPathWithDotsAndLinksUpwards() throws {
        folder.makeFolder("a")
        folder.makeFolder("b")
        try folder.write("b/config.yaml", "one")
        folder.link("a/up", to: "../b/./config.yaml")
        _ = try watch("b//../a/./up")
        try folder.write("b/config.yaml", "two")
        #expect(try isTold())
    }

    @Test func linksThatLeadInACircleLeadNowhere() throws {
        folder.link("one", to: "two")
        folder.link("two", to: "one")
        #expect(try !watch("one").isThere)
    }

    /// A file that is being written is not told before its writer has closed it, however long that takes.
    @Test(arguments: [true, false]) func aFileThatIsBeingWrittenIsNotTold(isNew: Bool) throws {
        if !isNew { try folder.write("config.yaml", "one") }
        _ = try watch("config.yaml")
        do {
            let file = try folder.open("config.yaml")
            file.write("half")
            #expect(try nothingIsTold(for: .milliseconds(1500)))
            file.write(" and half")
            #expect(try nothingIsTold())
        }
        #expect(try isTold())
        #expect(folder.read("config.yaml") == "half and half")
    }

    /// The folder is new too, so nobody saw how the file came into it.
    @Test func aFileInANewFolderIsNotToldWhileItGrows() throws {
        _ = try watch("a/config.yaml")
        folder.makeFolder("a")
        let file = try folder.open("a/config.yaml")
        for _ in 0..<5 {
            let written = MonotonicTime.now
            file.write("more ")
            let isQuiet = try nothingIsTold(for: .milliseconds(400))
            // After a second without growth it would be told; on a busy machine that may be over.
            if MonotonicTime.now.since(written) < .milliseconds(900) { #expect(isQuiet) }
        }
    }

    /// A change shows before there is news of it: of a truncation by milliseconds, and of a change in memory forever.
    @Test func aChangeWithoutNewsIsNoticedAndToldOnceItIsOver() throws {
        try folder.write("config.yaml", "one")
        let memory = try folder.map("config.yaml")
        let watcher = try watch("config.yaml")
        #expect(!watcher.hasNews())
        let date = folder.date(of: "config.yaml")
        usleep(20_000)  // the clock for dates may not go on more often
        let began = MonotonicTime.now
        memory.overwriteFirstByte(by: UInt8(ascii: "O"))
        // Some file systems do not date what is written in memory; there, nothing can be noticed.
        guard folder.date(of: "config.yaml") != date else { return }
        #expect(watcher.hasNews(), "what has been read may be half of it")
        #expect(try isTold())
        #expect(MonotonicTime.now.since(began) > .milliseconds(900))
        #expect(folder.read("config.yaml") == "One")
        #expect(!watcher.hasNews())
    }

    /// A writer may have begun to write it anew, though there is no news of that yet.
    @Test func anEmptyFileIsNotToldForAWhile() throws {
        try folder.write("config.yaml", "one")
        _ = try watch("config.yaml")
        let began = MonotonicTime.now
        try folder.write("config.yaml", "")
        #expect(try isTold())
        #expect(MonotonicTime.now.since(began) > .milliseconds(2900))
        try folder.write("config.yaml", "")
        try folder.write("config.yaml", "two")
        #expect(try isTold())
        #expect(folder.read("config.yaml") == "two")
    }

    /// Its beginning is not news any more, so nothing says whether its writer is done.
    @Test func anEarlierChangeIsToldOnceItIsOver() throws {
        let began = MonotonicTime.now
        try folder.write("config.yaml", "half")
        let watcher = try watch("config.yaml")
        watcher.tellEarlierChange()
        #expect(watcher.hasNews())
        #expect(try isTold())
        #expect(MonotonicTime.now.since(began) > .milliseconds(900))
        folder.remove("config.yaml")
        #expect(try isTold())
        // A file that is not there has no writer.
        watcher.tellEarlierChange()
        #expect(try isTold() && !watcher.isThere)
    }

    @Test func aRenamedFileIsToldThoughTheOldOneIsBeingWritten() throws {
        try folder.write("config.yaml", "one")
        _ = try watch("config.yaml")
        let file = try folder.open("config.yaml")
        file.write("half")
        #expect(try nothingIsTold(for: .milliseconds(300)))
        try folder.write("new", "whole")
        folder.rename("new", to: "config.yaml")
        #expect(try isTold())
    }

    @Test func whatHappensBetweenATellingAndALookIsNews() throws {
        try folder.write("config.yaml", "one")
        let watcher = try watch("config.yaml")
        try folder.write("config.yaml", "two")
        #expect(try isTold())
        #expect(!watcher.hasNews())
        try folder.write("config.yaml", "three")
        #expect(watcher.hasNews())
        #expect(try isTold())
    }

    /// Changes without end are told all the same.
    @Test func aStormIsToldNowAndThen() throws {
        try folder.write("config.yaml", "one")
        _ = try watch("config.yaml")
        let start = MonotonicTime.now
        var rounds = 0
        _ = try loop.run(
            until: { [unowned self] in
                rounds += 1
                try? folder.write("new", "round \(rounds)")
                folder.rename("new", to: "config.yaml")
                return told > 0
            }, atMost: .seconds(5))
        #expect(told == 1)
        #expect(MonotonicTime.now.since(start) < .seconds(3))
    }
}
