package import EventLoop
package import Memory
package import Network
package import Upstream

/// A command for a worker, sent through its mailbox.
package enum WorkerCommand: Sendable {
    /// Know a route, whose listening sockets follow.
    case addRoute(Int, SharedRoute, workers: Int)
    /// Forget a route, whose listening sockets are closed, once its connections have ended.
    case removeRoute(Int)
    /// Accept clients of a route on one more listening socket, known by `listener` from now on.
    /// - turn: the lock of all workers that accept on the same socket; nil where there is only one.
    /// - outlivesUs: clients that wait there at the end are left to the process that has the socket next.
    case listen(listener: Int, route: Int, Handoff<ListeningSocket>, turn: TurnLock?, outlivesUs: Bool)
    /// Take datagrams of a route's clients on one more socket, known by `listener` from now on.
    case listenForDatagrams(listener: Int, route: Int, Handoff<DatagramSocket>)
    /// Accept a listening socket's clients on another route from now on.
    case handOver(listener: Int, toRoute: Int)
    /// Accept those who wait already, then close the listening socket.
    case closeListener(Int)
    /// Reset the connections of a route that are left.
    case abortRoute(Int)
    /// Log each connection that ends, or do not.
    case logAccess(Bool)
    /// Accept again: there is room for connections that were refused a permit.
    case resumeAccepting
    /// Adapt to how short memory is now.
    /// - socketsCount: the kernel's buffers for sockets count against the limit.
    case memory(MemoryGauge.Level, socketsCount: Bool)
    /// Take news about a route's app.
    case news(HoldCoordinator.News, route: Int)
    /// Take news about a route's permits for connections to its app.
    case admission(AdmissionQueue.News, route: Int)
    /// Take the password thread's answer.
    case passwordChecked(ticket: UInt64, isRight: Bool)
    /// Report the counts, and the traffic under way.
    /// - posted: the time of the question, which shows how late the worker is.
    case report(posted: MonotonicTime)
    /// Close all listeners, let the connections finish, and report when none is left.
    case drain
    /// Reset all connections that are left.
    case abort
}
