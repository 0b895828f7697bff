import EventLoop
import TestSupport
import Testing

@testable import Upstream

/// Admission, hold and pool together, under random sequences of what clients and apps do.
@Suite(.timeLimit(.minutes(5))) struct AppRouteModelTests {
    @Test(arguments: [
        AppRouteModel.Settings(workers: 1, max: 1, queue: 3, pool: ConnectionPool.Limits()),
        AppRouteModel.Settings(workers: 3, max: 2, queue: 4, pool: ConnectionPool.Limits()),
        AppRouteModel.Settings(workers: 1, max: 2, queue: 4, pool: ConnectionPool.Limits(idle: 2)),
        AppRouteModel.Settings(workers: 3, max: 3, queue: 4, pool: ConnectionPool.Limits(idle: 2)),
        AppRouteModel.Settings(workers: 3, max: 2, queue: 4, pool: ConnectionPool.Limits(spare: 1, idle: 1)),
    ])
    func isAsSpecified(_ settings: AppRouteModel.Settings) throws {
        try checkRandomSequences(
            count: 120,
            generate: { random in
                (0..<Int.random(in: 2...40, using: &random)).map { _ in .random(using: &random) }
            },
            run: { try AppRouteModel(settings).run($0) })
    }
}
