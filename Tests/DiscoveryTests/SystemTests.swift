import EventLoop
import Glibc
import Network
import Testing

@testable import Discovery

/// Facts about this machine, read from its /proc.
@Suite struct SystemTests {
    @Test func thisProcessDescendsFromItsAncestors() {
        let (me, parent) = (Int(getpid()), Int(getppid()))
        #expect(ProcessTree.descendants(of: me).contains(me))
        #expect(ProcessTree.descendants(of: parent).isSuperset(of: [me, parent]))
        #expect(!ProcessTree.descendants(of: me).contains(parent))
    }

    @Test func bothTablesTellTheSame() throws {
        let first = try ListeningSocket(on: .ip(.loopbackV4, port: 0))
        let second = try ListeningSocket(on: .ip(.anyV4, port: 0))
        let third = try ListeningSocket(on: .ip(.loopbackV6, port: 0))
        let fourth = try ListeningSocket(on: .ip(.anyV6, port: 0))
        // Others come and go meanwhile: only these are compared.
        let inodes: Set = [first.inode, second.inode, third.inode, fourth.inode]
        func known(_ endpoints: [ListeningEndpoint]) -> Set<String> {
            Set(endpoints.filter { inodes.contains($0.inode) }.map { "\($0.address) \($0.port) \($0.inode)" })
        }
        let tables = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap {
            ListeningSockets.parse(Descriptor.contents(of: $0) ?? "")
        }
        let diagnostics = try SocketDiagnostics.listening()
        #expect(known(diagnostics).count == 4)
        #expect(known(diagnostics) == known(tables))
        #expect(
            diagnostics.filter { inodes.contains($0.inode) && $0.address.family == .v6 }.map(\.isV6Only) == [
                true, true,
            ])
    }
}
