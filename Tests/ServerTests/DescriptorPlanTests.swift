import Testing

@testable import Server

@Suite struct DescriptorPlanTests {
    @Test func connectionsGetWhatTheRestLeaves() {
        let plan = DescriptorPlan(limit: 1024, workers: 2)
        #expect(plan.pipesOfEachWorker == 8)
        // 8 for loops, 2 listeners and 16 later ones for each worker, 32 for pipes, 16 for the rest.
        #expect(plan.connections(listeners: 2, kept: 0, admin: 0) == (1024 - 8 - 36 - 32 - 16) / 2)
        #expect(plan.connections(listeners: 2, kept: 100, admin: 34) == (1024 - 8 - 36 - 32 - 16 - 134) / 2)
    }

    @Test func whereDescriptorsAreFewThereAreNoPipesAndOneConnection() {
        let plan = DescriptorPlan(limit: 20, workers: 4)
        #expect(plan.pipesOfEachWorker == 0)
        #expect(plan.connections(listeners: 1, kept: 0, admin: 0) == 1)
    }
}
