internal import EventLoop

/// One worker's side of an address on which a route's clients come. Belongs to the worker's thread.
protocol Listener: AnyObject {
    var route: WorkerRoute { get }

    /// Takes clients from now on, or again.
    /// - Throws: ``SystemError`` where the kernel refuses to watch the socket. The worker keeps the listener and tries again in a
    ///   while, for the same socket may be all that a route has.
    func resume() throws(SystemError)

    /// Takes clients on another route from now on. Those who wait already are its first ones.
    func handOver(to route: WorkerRoute)

    /// Counts what the kernel has turned away or dropped for us.
    func countDropped()
}
