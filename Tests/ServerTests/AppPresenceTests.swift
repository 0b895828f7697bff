import Configuration
import Glibc
import Network
import Testing

@testable import Server

@Suite struct AppPresenceTests {
    private func words(_ upstream: UpstreamAddress, hold: Duration = .seconds(10)) -> String {
        AppPresence(of: upstream, among: RouteProtocol.Transport.tcp.listeningEndpoints ?? []).description(hold: hold)
    }

    @Test(arguments: [
        (IPAddress.loopbackV4, "127.0.0.1"), (.loopbackV6, "[::1]"), (.anyV4, "0.0.0.0"), (.anyV6, "[::]"),
    ])
    func anAppOnLocalhostIsFound(address: IPAddress, text: String) throws {
        let listener = try ListeningSocket(on: .ip(address, port: 0))
        let port = try #require(listener.localAddress?.port)
        #expect(words(.localhost(port: port)) == "where the app listens (\(text):\(port))")
        _ = listener.number
    }

    @Test func anAppOnAnotherLoopbackAddressIsNotTheOne() throws {
        let listener = try ListeningSocket(on: .ip(IPAddress("127.0.0.7")!, port: 0))
        let port = try #require(listener.localAddress?.port)
        #expect(words(.address(.ip(.loopbackV4, port: port))).hasPrefix("where nobody listens yet"))
        #expect(words(.address(.ip(IPAddress("127.0.0.7")!, port: port))).hasPrefix("where the app listens"))
        _ = listener.number
    }

    @Test func nobodyIsFoundWhereNobodyListens() {
        // Port 0 cannot be listened on.
        #expect(words(.localhost(port: 0)) == "where nobody listens yet: clients wait up to 10s")
        #expect(words(.localhost(port: 0), hold: .zero) == "where nobody listens yet")
        #expect(words(.address(.unix(path: "/nowhere/app.sock")), hold: .zero) == "where nobody listens yet")
    }

    @Test func anotherMachineIsNotLookedAt() {
        #expect(words(.address(.ip(IPAddress("192.0.2.1")!, port: 80))) == "which is not on this machine")
    }

    @Test func aUnixSocketIsFoundByItsFile() throws {
        let path = "/tmp/loopbridge-presence-\(getpid()).sock"
        unlink(path)
        defer { unlink(path) }
        let listener = try ListeningSocket(on: .unix(path: path))
        #expect(words(.address(.unix(path: path))) == "where the app listens (unix:\(path))")
        _ = listener.number
    }
}
