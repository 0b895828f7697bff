public import EventLoop

/// What a worker calls as things happen. Each is one call for all that has happened at a time, in the module where the
/// histograms are, so that the compiler makes plain additions of it.
extension RouteCounters {
    /// A request to be connected to the app was answered, after it had waited or the app was called.
    /// - Parameters:
    ///   - called: when the app was last called for it; nil where it was not.
    ///   - isConnected: false where there was no connection to be had.
    public mutating func countConnect(
        started: MonotonicTime, called: MonotonicTime?, answered: MonotonicTime, isConnected: Bool
    ) {
        waitTime.count(from: started, to: called ?? answered)
        if isConnected, let called { connectTime.count(from: called, to: answered) }
    }

    /// A client's connection has ended.
    /// - Parameter start: when it was accepted, by the coarse clock.
    public mutating func countEnd(after start: MonotonicTime, bytesToApp: UInt64, bytesToClient: UInt64) {
        endedConnections += 1
        self.bytesToApp += bytesToApp
        self.bytesToClient += bytesToClient
        connectionTime.count(from: start, to: .coarse)
    }

    /// A request has ended, whether it was answered or not.
    /// - Parameters:
    ///   - status: the answer's; nil where there was none.
    ///   - failure: why it did not end well; nil where it did.
    ///   - start: the request's first byte came.
    ///   - end: the answer's last byte went.
    ///   - connected: when there was a connection to the app, if that came about.
    ///   - firstByte: when the app's answer began, if it did.
    ///   - bytesToApp: the size of the request's body, and likewise `bytesToClient`.
    public mutating func countRequest(
        status: Int?, failure: FailureCause?, from start: MonotonicTime, to end: MonotonicTime,
        connected: MonotonicTime?, firstByte: MonotonicTime?, bytesToApp: UInt64, bytesToClient: UInt64
    ) {
        if let failure { failures[failure] += 1 }
        requests.byClass[status.map { min(max($0 / 100, 0), 5) } ?? 0] += 1
        if let connected, let firstByte { requests.firstByteTime.count(from: connected, to: firstByte) }
        guard let status else { return }
        // Behind a switch of protocols, it is a connection that has lasted, and no request.
        if status != 101 { requests.time.count(from: start, to: end) }
        requests.requestSize.count(bytesToApp)
        requests.responseSize.count(bytesToClient)
    }
}
