import EventLoop
import Network
import Testing

@testable import Upstream

@Suite struct DatagramConnectorTests {
    private let candidates: [SocketAddress] = [.ip(.loopbackV4, port: 9), .ip(.loopbackV6, port: 9)]

    @Test func whoRefusesIsNotAskedFirst() throws {
        let connector = DatagramConnector(to: candidates, sources: LoopbackSources())
        func next() throws -> Int {
            let connection = try connector.open(for: nil)
            #expect(connection.address == candidates[connection.candidate])
            return connection.candidate
        }
        #expect(connector.candidateCount == 2)
        #expect(try next() == 0)
        #expect(try next() == 0)
        connector.refused(0)
        #expect(try next() == 1)
        // Late news of an address that is not the first any more.
        connector.refused(0)
        #expect(try next() == 1)
        connector.refused(1)
        #expect(try next() == 0)
    }

    @Test func aClientMayHaveASourceOfItsOwn() throws {
        let connector = DatagramConnector(to: candidates, sources: LoopbackSources(.perClient))
        let client = IPAddress("172.17.0.5")!
        let socket = try connector.open(for: client).takeSocket()
        #expect(socket.localAddress?.ipAddress == IPAddress("127.17.0.5"))
        connector.refused(0)
        let other = try connector.open(for: client).takeSocket()
        #expect(other.localAddress?.ipAddress == .loopbackV6)
    }
}
