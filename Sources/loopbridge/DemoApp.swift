import EventLoop
import Network
import Observability

/// The app of the demo: a page, served on 127.0.0.1 only, as so many development servers do.
enum DemoApp {
    /// Starts serving on a thread of its own, for as long as the process lives.
    /// - Throws: ``DemoError`` when the port is taken.
    static func start(port: UInt16) throws -> SocketAddress {
        let address = SocketAddress.ip(.loopbackV4, port: port)
        let listener: Handoff<ListeningSocket>
        do throws(SystemError) {
            listener = Handoff(try ListeningSocket(on: address))
        } catch {
            throw DemoError.portTaken(address, error)
        }
        try Thread.start(named: "demo-app") {
            guard let listener = listener.take() else { return }
            do {
                let loop = try EventLoop()
                let server = try HTTPServer(accepting: listener.takeDescriptor(), on: loop) { $1.answer(page) }
                loop.run()
                withExtendedLifetime(server) {}
            } catch {
                StandardError.write("loopbridge: the demo's app cannot start: \(error)")
            }
        }
        return address
    }

    private static let page = HTTPServer.Response(
        contentType: "text/plain; charset=utf-8",
        body: Array("Hello from an app that listens only on 127.0.0.1.\n".utf8))
}
