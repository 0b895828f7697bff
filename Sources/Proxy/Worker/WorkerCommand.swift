package import EventLoop
package import Memory
package import Network
package import Upstream

/// What a worker is told through its mailbox.
package enum WorkerCommand: Sendable {
    /// Know a route, whose listening sockets follow.
    case addRoute(Int, SharedRoute, workers: Int)
    /// Forget a route, whose listening sockets are closed, once its connections have ended.
    case removeRoute(Int)
    /// Accept clients of a route on one more listening socket, known by `listener` from now on.
    /// - turn: of all workers that accept on the same socket; nil where none does.
    /// - outlivesUs: whoever waits there at the end is left to those who have the socket then.
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
    /// There is room again for connections that were refused a place.
    case resumeAccepting
    /// Memory is so short now, or not any more.
    /// - socketsCount: what the kernel holds for sockets counts against the limit.
    case memory(MemoryGauge.Level, socketsCount: Bool)
    /// News about a route's app.
    case news(HoldCoordinator.News, route: Int)
    /// News about a route's places for connections to its app.
    case admission(AdmissionQueue.News, route: Int)
    /// It was found out whether a password is right.
    case passwordChecked(ticket: UInt64, isRight: Bool)
    /// Say what you have counted, and what you have under way.
    /// - posted: when you were asked, by which you know how late you are.
    case report(posted: MonotonicTime)
    /// Close all listeners, let the connections finish, and report when none is left.
    case drain
    /// Reset all connections that are left.
    case abort
}
