import EventLoop
import Glibc
import Network
import Testing

@testable import Discovery

/// Ports that nobody can have published.
@Suite struct KernelChoiceTests {
    private let range: ClosedRange<UInt16> = 32768...60999

    @Test(arguments: [80, 3000, 5173, 8000, 32767, 50051, 50052, 61000, 65535] as [UInt16])
    func whatIsPublished(port: UInt16) {
        #expect(!KernelChoice(range: range, givesEverySecond: true).covers(port))
        #expect(!KernelChoice(range: range, givesEverySecond: false).covers(port))
    }

    @Test(arguments: [32769, 43817, 60999] as [UInt16]) func whatTheKernelHasChosen(port: UInt16) {
        #expect(KernelChoice(range: range, givesEverySecond: true).covers(port))
        #expect(KernelChoice(range: range, givesEverySecond: false).covers(port))
        #expect(!KernelChoice(range: range, givesEverySecond: true, said: [port]).covers(port))
    }

    /// Linux leaves them to connections.
    @Test(arguments: [32768, 40000, 60998] as [UInt16]) func whatTheKernelWouldNotHaveChosen(port: UInt16) {
        #expect(!KernelChoice(range: range, givesEverySecond: true).covers(port))
        #expect(KernelChoice(range: range, givesEverySecond: false).covers(port))
    }

    /// Some machines let connections have every port above 1024.
    @Test func aWiderRangeLeavesUsualNumbersAlone() {
        let wide = KernelChoice(range: 1024...65535, givesEverySecond: true)
        for port in [3001, 5173, 8081, 9999, 11211, 27017, 50051] as [UInt16] { #expect(!wide.covers(port)) }
        #expect(wide.covers(10_001) && wide.covers(43_817) && wide.covers(65_535))
        // The parity counts from the range's start.
        #expect(KernelChoice(range: 32769...60999, givesEverySecond: true).covers(32770))
    }

    /// The rule is wrong for no port that this kernel has chosen, but for the few odd numbers that people publish.
    @Test(arguments: [true, false]) func aThousandThatThisKernelChooses(sharesItsAddress: Bool) throws {
        try #require(EphemeralPorts.givesEverySecond, "this kernel is no Linux, or has no odd port free")
        let choice = KernelChoice(said: [])
        var missed: Set<UInt16> = []
        for _ in 0..<1000 {
            let socket = Descriptor(owning: Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0))
            var sharing: CInt = sharesItsAddress ? 1 : 0
            setsockopt(socket.number, SOL_SOCKET, SO_REUSEADDR, &sharing, socklen_t(MemoryLayout<CInt>.size))
            // Listening without an address binds to any port, too.
            try #require(listen(socket.number, 1) == 0)
            let port = try #require(Socket(owning: socket).localAddress?.port)
            if !choice.covers(port) { missed.insert(port) }
        }
        #expect(missed.isSubset(of: [35729, 50051, 50053, 50055, 54321]), "\(missed)")
    }

    @Test func numbersThatWereSaid() {
        let command = ["/bin/sh", "-c", "exec server --port=45679 --peers a:45681,[::1]:45683"]
        let said = SaidPorts.read(
            command: command, environment: ["PORT=45685", "URL=http://x:45687/", "A=x45689", "B"])
        #expect(said == [45679, 45681, 45683, 45685, 45687])
        #expect(SaidPorts.read(command: ["/proc/self/mem", "/", "/nowhere", "/dev/zero"], environment: []).isEmpty)
        #expect(SaidPorts.numbers(in: "12345678 99999 123 4567").sorted() == [4567])
    }

    @Test func aFileThatTheCommandNames() throws {
        var template = Array("/tmp/loopbridge-said-XXXXXX".utf8CString)
        let number = mkstemp(&template)
        defer { unlink(&template) }
        let file = Descriptor(owning: number)
        try file.write(Array("server.bind(('127.0.0.1', 45679))\n".utf8))
        let path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        #expect(SaidPorts.read(command: ["python3", path], environment: []) == [45679])
        // A program is no text.
        try file.write([0])
        #expect(SaidPorts.read(command: ["python3", path], environment: []).isEmpty)
    }
}
