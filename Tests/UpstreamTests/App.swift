import EventLoop
import Glibc
@testable import Network

/// What a connector is to reach. It has its address from the start, so that nobody else can take it, and listens
/// only when it is told to: until then the kernel refuses every connection.
final class App {
    let address: SocketAddress
    private let socket: Descriptor
    private var accepted: [AcceptedConnection] = []
    private var wasBoundAgain = false
    /// Where those that have been accepted came from, in this order.
    private(set) var peers: [SocketAddress] = []

    init(on address: SocketAddress = .ip(.loopbackV4, port: 0), type: __socket_type = SOCK_STREAM) throws {
        let number = Glibc.socket(
            address.protocolFamily, CInt(type.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw SystemError("socket") }
        socket = Descriptor(owning: number)
        guard address.withKernelForm({ bind(number, $0, $1) }) == 0 else { throw SystemError("bind") }
        // Not before the address is ours alone; without it, connections that go on would keep it from being bound again.
        var one: CInt = 1
        precondition(setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<CInt>.size)) == 0)
        self.address = SocketAddress.fromKernelForm { getsockname(number, $0, $1) }.address ?? address
    }

    deinit {
        if case .unix(let path) = address { unlink(path) }
    }

    /// Starts to listen; Linux lets one more than `backlog` wait to be accepted.
    func listen(backlog: CInt = 1000) {
        precondition(Glibc.listen(socket.number, backlog) == 0)
    }

    /// Has the kernel refuse every connection again; those that were accepted go on.
    func stopListening() {
        accept()
        precondition(shutdown(socket.number, CInt(SHUT_RDWR)) == 0)
        // The kernel takes away an address that it has chosen itself; one that it was asked for stays.
        guard !wasBoundAgain else { return }
        wasBoundAgain = true
        precondition(address.withKernelForm { bind(socket.number, $0, $1) } == 0)
    }

    /// Accepts everybody who waits.
    /// - Returns: how many have been accepted since the start.
    @discardableResult
    func accept() -> Int {
        while true {
            let (peer, number) = SocketAddress.fromKernelForm { Glibc.accept(socket.number, $0, $1) }
            guard number >= 0 else { return accepted.count }
            if let peer { peers.append(peer) }
            accepted.append(AcceptedConnection(Descriptor(owning: number)))
        }
    }

    /// Ends every connection, after accepting everybody who waits.
    func endAll() {
        accept()
        for connection in accepted { connection.end() }
    }

    /// How many connections are open, after accepting everybody who waits: those that the other side has not ended.
    var connectionsOpen: Int {
        accept()
        return accepted.count { $0.isOpen }
    }

    /// Says something on the connection that was accepted as the `number`th.
    func say(_ text: String, on number: Int) { accepted[number].say(Array(text.utf8)) }

    /// Ends the connection that was accepted as the `number`th.
    func end(_ number: Int) { accepted[number].end() }

    /// Accepts the one that waits longest, says something to it, and resets it.
    func acceptAndReset(saying bytes: [UInt8]) throws {
        let number = Glibc.accept(socket.number, nil, nil)
        guard number >= 0 else { throw SystemError("accept") }
        let connection = Socket(owning: Descriptor(owning: number))
        guard bytes.withUnsafeBytes({ connection.send($0) }) == .moved(bytes.count) else { throw SystemError("send") }
        connection.resetWhenClosed()
    }

    /// How many connections to the app this process is still trying to make (TCP_SYN_SENT in /proc/net/tcp, proc(5)).
    var connectionsInTheMaking: Int {
        let wanted = String(address.port ?? 0, radix: 16, uppercase: true)
        let port = String(repeating: "0", count: 4 - wanted.count) + wanted
        // In C, for a machine that has just been under load lists thousands here.
        guard let table = fopen("/proc/net/tcp", "re") else { return 0 }
        defer { fclose(table) }
        var inodes: [UInt] = []
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        while getline(&line, &capacity, table) > 0 {
            guard let line, strstr(line, ":\(port) 02 ") != nil else { continue }
            let fields = String(cString: line).split(separator: " ")
            if fields.count > 9, let inode = UInt(fields[9]) { inodes.append(inode) }
        }
        // What we have closed lives on for a moment where another test is starting a process, which has it as well.
        return inodes.isEmpty ? 0 : openInodes.intersection(inodes).count
    }

    private var openInodes: Set<UInt> {
        var status = stat()
        return Set((CInt(0)..<1024).compactMap { fstat($0, &status) == 0 ? UInt(status.st_ino) : nil })
    }
}

/// A descriptor has one owner, and an array holds only what can be copied.
private final class AcceptedConnection {
    private let socket: Socket
    private var hasEnded = false

    init(_ descriptor: consuming Descriptor) {
        socket = Socket(owning: descriptor)
    }

    /// Whether neither side has ended it.
    var isOpen: Bool {
        guard !hasEnded else { return false }
        return socket.idleState != .ended
    }

    func say(_ bytes: [UInt8]) { _ = bytes.withUnsafeBytes { socket.send($0) } }

    func end() {
        hasEnded = true
        shutdown(socket.number, CInt(SHUT_RDWR))
    }
}
