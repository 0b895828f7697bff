import EventLoop
import Glibc
import Testing

@Suite struct LoopMessagesTests {
    /// Watches a file, which epoll does not do.
    private func watchFile() throws {
        let file = try Descriptor(reading: "/proc/self/exe")
        let loop = try EventLoop()
        let error = #expect(throws: SystemError.self) {
            _ = try IOEvent(file.number, on: loop, for: .readable, trigger: .level) { _ in }
        }
        #expect(error?.code == EPERM)
    }

    @Test func whatLibeventSaysGoesToTheReceiver() throws {
        let heard = Guarded<[String]>([])
        LoopMessages.send { severity, text in
            #expect(severity == .warning)
            heard.withLock { $0.append(text) }
        }
        try watchFile()
        #expect(heard.withLock { $0.contains { $0.contains("Epoll ADD") && $0.contains("not permitted") } })
    }
}
