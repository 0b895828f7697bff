/// The division of the descriptors that the process may have.
struct DescriptorPlan {
    /// The number of files that the process may have open.
    let limit: Int
    let workers: Int

    /// The number of pipes that each worker may have: none where descriptors are so few that connections need them all.
    var pipesOfEachWorker: Int { limit < 1024 ? 0 : 8 }

    /// Returns the number of connections that fit, with two descriptors each, beside what the program needs for itself.
    /// - Parameters:
    ///   - listeners: the number of listeners that are open now.
    ///   - kept: the number of connections to apps that may be kept for later.
    ///   - admin: the number of descriptors that the admin port may need.
    func connections(listeners: Int, kept: Int, admin: Int) -> Int {
        let forLoops = 4 * workers
        // Room for addresses that appear, apps that are found, and routes that are added.
        let laterListeners = max(8, min(64, limit / 64))
        let forListeners = (listeners + laterListeners) * workers
        let forPipes = 2 * pipesOfEachWorker * workers
        let forTheRest = 16
        return max(1, (limit - forLoops - forListeners - kept - forPipes - admin - forTheRest) / 2)
    }
}
