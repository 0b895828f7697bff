/// How the descriptors that the process may have are shared out.
struct DescriptorPlan {
    /// How many files the process may have open.
    let limit: Int
    let workers: Int

    /// How many pipes each worker may have: none where descriptors are so few that connections need them all.
    var pipesOfEachWorker: Int { limit < 1024 ? 0 : 8 }

    /// How many connections fit: two descriptors each, after what the program needs for itself.
    /// - Parameters:
    ///   - listeners: how many there are now.
    ///   - kept: how many connections to apps may be kept for later.
    ///   - admin: how many descriptors the admin port may need.
    func connections(listeners: Int, kept: Int, admin: Int) -> Int {
        let forLoops = 4 * workers
        // There is always room for a few more, for addresses that appear, apps that are found, routes that are added.
        let laterListeners = max(8, min(64, limit / 64))
        let forListeners = (listeners + laterListeners) * workers
        let forPipes = 2 * pipesOfEachWorker * workers
        let forTheRest = 16
        return max(1, (limit - forLoops - forListeners - kept - forPipes - admin - forTheRest) / 2)
    }
}
