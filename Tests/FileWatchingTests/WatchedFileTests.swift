import EventLoop
import FileWatching
import TestSupport
import Testing

/// A value that follows its files, with real files.
@Suite(.timeLimit(.minutes(1)), .serialized) final class WatchedFileTests {
    /// A text that is none of the good ones.
    private struct Fault: Error, Equatable {
        let text: String
    }

    private typealias File = WatchedFile<String, Fault>

    private let loop: EventLoop
    private let folder = Folder()
    private let watchers: FileWatchers
    private var files: [File] = []
    /// The news that were told, in words.
    private var news: [String] = []
    private var readings = 0
    /// Called while a file is being read.
    private var meanwhile: () throws -> Void = {}

    init() throws {
        loop = try EventLoop()
        watchers = FileWatchers(on: loop)
    }

    /// Makes a value of these files: their texts, all of which must be good.
    private func watch(_ names: String...) -> File {
        let file = File(names.map { "\(folder.path)/\($0)" }, watchedBy: watchers) { [unowned self] () throws(Fault) in
            readings += 1
            let text = names.map { folder.read($0) ?? "nothing" }.joined(separator: "+")
            try? meanwhile()
            guard !text.contains("bad"), !text.contains("nothing") else { throw Fault(text: text) }
            return text
        } onNews: { [unowned self] in
            news.append(words(for: $0))
        }
        files.append(file)
        return file
    }

    private func words(for news: File.News) -> String {
        func name(_ path: String?) -> String { path.map { ", \($0.dropFirst(folder.path.count + 1))" } ?? "" }
        return switch news {
        case .read(let value, let path): "read \(value)\(name(path))"
        case .unusable(let fault, let path): "unusable \(fault.text)\(name(path))"
        case .gone(let path): "gone\(name(path))"
        case .unwatchable(let path, let error): "unwatchable\(name(path)): \(error.call)"
        }
    }

    /// Whether nothing but this is told next.
    private func tells(_ expected: String..., sourceLocation: SourceLocation = #_sourceLocation) throws {
        _ = try loop.run(until: { [unowned self] in news.count >= expected.count }, atMost: .seconds(10))
        #expect(news == expected, sourceLocation: sourceLocation)
        news = []
    }

    private func tellsNothing(for duration: Duration = .milliseconds(700)) throws {
        _ = try loop.run(until: { [unowned self] in !news.isEmpty }, atMost: duration)
        #expect(news.isEmpty)
    }

    @Test func isReadWhenAskedAndWhenItChanges() throws {
        try folder.write("a", "one")
        let file = watch("a")
        #expect(file.value == nil)
        file.readAgain()
        try tells("read one")
        try folder.write("a", "two")
        try tells("read two, a")
        try folder.write("b", "three")
        folder.rename("b", to: "a")
        try tells("read three, a")
        #expect(file.value == "three")
        file.readAgain()
        try tells("read three")
    }

    /// As Kubernetes mounts a Secret.
    @Test func followsLinks() throws {
        folder.makeFolder("..1")
        folder.makeFolder("..2")
        try folder.write("..1/a", "one")
        try folder.write("..2/a", "two")
        folder.link("..data", to: "..1")
        folder.link("a", to: "..data/a")
        watch("a").readAgain()
        try tells("read one")
        folder.link("..new", to: "..2")
        folder.rename("..new", to: "..data")
        try tells("read two, a")
    }

    @Test func keepsTheLastGoodValueAndTellsEachFaultOnce() throws {
        try folder.write("a", "one")
        let file = watch("a")
        file.readAgain()
        try tells("read one")
        try folder.write("a", "bad")
        try tells("unusable bad, a")
        try tellsNothing()
        #expect(file.value == "one")
        file.readAgain()
        try tells("unusable bad")
        try folder.write("a", "two")
        try tells("read two, a")
    }

    @Test func aFileThatIsBadAtFirstIsFollowed() throws {
        let file = watch("a")
        file.readAgain()
        try tells("unusable nothing")
        #expect(file.value == nil)
        try folder.write("a", "one")
        try tells("read one, a")
    }

    @Test func aFileThatHasGoneIsToldOnceAndStillHolds() throws {
        try folder.write("a", "one")
        let file = watch("a")
        file.readAgain()
        folder.remove("a")
        try tells("read one", "gone, a")
        // The folder's other changes are no news of it.
        try folder.write("b", "two")
        folder.remove("b")
        try tellsNothing()
        #expect(file.value == "one")
        try folder.write("a", "three")
        try tells("read three, a")
        folder.remove("a")
        try tells("gone, a")
    }

    /// A file that is written to while it is read is read once more, when it is whole.
    @Test func halfOfAFileIsNeverTaken() throws {
        try folder.write("a", "one")
        let file = watch("a")
        file.readAgain()
        try tells("read one")
        var writer: Folder.OpenFile? = nil
        meanwhile = { [unowned self] in
            meanwhile = {}
            try folder.write("a", "two and ")
        }
        try folder.write("a", "two")
        try tells("read two and , a")
        #expect(readings == 3)
        do {
            writer = try folder.open("a")
            writer?.write("half")
            try tellsNothing()
            #expect(file.value == "two and ")
            writer?.write(" and half")
            writer = nil
        }
        try tells("read half and half, a")
    }

    /// A certificate and its key: while one of the two is being replaced, they do not fit together.
    @Test func filesThatChangeTogetherAreReadTogether() throws {
        try folder.write("a", "1")
        try folder.write("b", "1")
        let file = watch("a", "b")
        file.readAgain()
        try tells("read 1+1")
        try folder.write("a", "2")
        try folder.write("b", "2")
        try tells("read 2+2, b")
        try tellsNothing()
        #expect(file.value == "2+2")
    }

    @Test func aChangeBeforeItWasWatchedIsToldLate() throws {
        try folder.write("a", "two")
        let file = watch("a")
        file.follow()
        file.tellEarlierChange { $0 == "two" }
        try tellsNothing(for: .milliseconds(1500))
        file.tellEarlierChange { $0 == "one" }
        try tells("read two, a")
    }

    /// The system has few watchers to give.
    @Test func onePathHasOneWatcherUntilNobodyFollowsIt() throws {
        try folder.write("a", "one")
        try folder.write("b", "one")
        for names in [["a"], ["a"], ["b"]] { watch(names[0]).readAgain() }
        try tells("read one", "read one", "read one")
        #expect(watchers.count == 2)
        try folder.write("a", "two")
        try tells("read two, a", "read two, a")
        files.removeFirst()
        #expect(watchers.count == 2)
        try folder.write("a", "three")
        try tells("read three, a")
        files.removeFirst()
        #expect(watchers.count == 1)
        try folder.write("a", "four")
        try tellsNothing()
        files = []
        #expect(watchers.count == 0)
    }

    /// A follower may end while it is told.
    @Test func mayEndWhileItIsTold() throws {
        try folder.write("a", "one")
        watch("a").readAgain()
        watch("a").readAgain()
        try tells("read one", "read one")
        meanwhile = { [unowned self] in files = [] }
        try folder.write("a", "two")
        try tells("read two, a")
        try tellsNothing()
        #expect(watchers.count == 0)
    }

    @Test func nothingIsWatchedWithoutAPath() throws {
        let file = File([], watchedBy: watchers) { () throws(Fault) in
            "one"
        } onNews: { [unowned self] in
            news.append(words(for: $0))
        }
        file.readAgain()
        try tells("read one")
        #expect(watchers.count == 0)
    }
}
