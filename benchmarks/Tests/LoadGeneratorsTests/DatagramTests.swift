import Foundation
import Testing

@testable import LoadGenerators

@Suite struct DatagramLoadTests {
    /// An app that goes on until the tests' process ends.
    private func app() throws -> Int {
        let app = try DatagramEcho(host: "127.0.0.1", port: 0)
        let port = app.port
        Thread.detachNewThread { app.run() }
        return port
    }

    @Test(arguments: [(1, 1), (3, 4)])
    func everyQuestionIsAnswered(clients: Int, inFlight: Int) throws {
        let load = DatagramLoad(
            host: "127.0.0.1", port: try app(), clients: clients, inFlight: inFlight, size: 100, seconds: 0.2)
        let result = try load.run()
        #expect(result.answers >= clients * inFlight)
        #expect(result.lost == 0)
        #expect(result.seconds >= 0.2)
    }

    @Test func whatNobodyAnswersIsLost() throws {
        let socket = try DatagramSocket(boundTo: "127.0.0.1", port: 0)
        let load = DatagramLoad(
            host: "127.0.0.1", port: socket.port, clients: 2, inFlight: 3, size: 1, seconds: 0.5)
        let result = try load.run()
        #expect(result.answers == 0 && result.lost >= 6)
    }
}
