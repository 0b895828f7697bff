import EventLoop

extension EventLoop {
    /// Lets the attempts that are under way be decided as far as the kernel has decided: on this machine that is the case
    /// when connect(2) returns, and each address takes a turn of the loop to be told so.
    func decide() {
        for _ in 0..<4 { runOnce() }
    }
}
