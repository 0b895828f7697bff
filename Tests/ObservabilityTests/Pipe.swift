import EventLoop
import Glibc

/// A pipe for the log to write into.
final class Pipe {
    private var reading: Descriptor?
    private var writing: Descriptor?
    private let readingNumber: CInt
    private let writingNumber: CInt

    /// Also sees to it that writing to a pipe that nobody reads is an error and not the end of the tests.
    init() throws {
        signal(SIGPIPE, SIG_IGN)
        var numbers: [CInt] = [0, 0]
        guard Glibc.pipe(&numbers) == 0 else { throw SystemError("pipe") }
        reading = Descriptor(owning: numbers[0])
        (readingNumber, writingNumber) = (numbers[0], numbers[1])
        writing = Descriptor(owning: numbers[1])
    }

    /// The end for the writer, once.
    func takeWritingEnd() -> Descriptor {
        let end = writing.take()
        return end!
    }

    /// Nobody reads from now on.
    func stopReading() { reading = nil }

    /// Makes writes fail where they would wait; whoever inherits the pipe's end may do that to it.
    func makeWritesNonBlocking() throws {
        guard fcntl(writingNumber, F_SETFL, O_NONBLOCK) == 0 else { throw SystemError("fcntl") }
    }

    /// What has been written, until the writer closes its end.
    func readToEnd() throws -> String {
        try String(decoding: reading!.readToEnd(), as: UTF8.self)
    }

    /// What can be read at once, or within ten seconds; empty where nothing comes.
    func readSome() throws -> String {
        var ready = pollfd(fd: readingNumber, events: Int16(POLLIN), revents: 0)
        guard poll(&ready, 1, 10_000) == 1 else { return "" }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(readingNumber, &bytes, bytes.count)
        guard count >= 0 else { throw SystemError("read") }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
