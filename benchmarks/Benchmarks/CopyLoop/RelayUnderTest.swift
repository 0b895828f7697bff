/// The sockets of one stream that a relay carries across.
struct Stream {
    let downstream: CInt
    let upstream: CInt
}

/// A copy loop under test. It owns its streams' sockets and belongs to the thread that made it.
protocol RelayUnderTest {
    /// Carries both ways until every stream has ended in both directions, and closes the sockets.
    func run()
}
