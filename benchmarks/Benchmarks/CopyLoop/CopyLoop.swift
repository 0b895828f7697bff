import Benchmark
import CSystemCalls
import EventLoop

/// The copy loop by itself: one thread that relays between a client's and a server's thread.
///
///     swift package benchmark --filter 'bulk, TCP, 1 stream.*'
let benchmarks: @Sendable () -> Void = {
    let bulkMethods: [Method] =
        [.adaptive] + [16, 64, 128, 256, 512, 1024, 2048].map { .receiveAndSend($0 << 10) }
        + [64, 256, 1024].map { .splice($0 << 10) }
    let messageMethods: [Method] = [.adaptive, .receiveAndSend(64 << 10), .receiveAndSend(1 << 20), .splice(64 << 10)]

    for transport in Transport.allCases {
        for count in [1, 8, 64] {
            let streams = "\(transport.rawValue), \(count) stream\(count == 1 ? "" : "s")"
            for method in bulkMethods {
                register("bulk, \(streams), \(method.name)", method, transport, streams: count, .bulk(256 << 20))
            }
            for size in [64, 1024] {
                for method in messageMethods {
                    register(
                        "\(size) B messages, \(streams), \(method.name)", method, transport, streams: count,
                        .exchanges(6400, messageSize: size))
                }
            }
        }
    }
}

private func register(_ name: String, _ method: Method, _ transport: Transport, streams: Int, _ load: Load) {
    var metrics: [BenchmarkMetric] =
        switch load {
        case .bulk: [.bulkRate, .bulkTime, .bulkTimeOfAll, .bulkCalls]
        case .exchanges: [.exchangeRate, .exchangeTime, .exchangeTimeOfAll, .exchangeCalls]
        }
    if can_count_instructions() { metrics.append(.instructions) }
    let configuration = Benchmark.Configuration(
        metrics: metrics, units: Dictionary(uniqueKeysWithValues: metrics.map { ($0, .count) }),
        warmupIterations: 1, maxDuration: .seconds(1), maxIterations: 100)
    Benchmark(name, configuration: configuration) { benchmark in
        try iterate(benchmark, method, transport, streams: streams, load)
    }
}

/// Sets sockets and threads up anew, relays the load, and takes down what it cost.
private func iterate(
    _ benchmark: Benchmark, _ method: Method, _ transport: Transport, streams count: Int, _ load: Load
) throws {
    let down = try (0..<count).map { _ in try transport.connectedPair() }
    let up = try (0..<count).map { _ in try transport.connectedPair() }
    let peers = try Peers(clients: down.map(\.0), servers: up.map(\.1), load: load)
    let relay = try method.relay(for: zip(down, up).map { Stream(downstream: $0.1, upstream: $1.0) })

    benchmark.startMeasurement()
    let (start, before) = (MonotonicTime.now, Usage.now)
    peers.go()
    relay.run()
    let (after, end) = (Usage.now, MonotonicTime.now)
    benchmark.stopMeasurement()

    guard peers.waitUntilDone() else { return benchmark.error("bytes were lost") }
    let seconds = end.since(start) / .seconds(1)
    let relayTime = after.threadTime - before.threadTime
    let timeOfAll = Usage.now.processTime - before.processTime
    let calls = after.threadSystemCalls - before.threadSystemCalls
    switch load {
    case .bulk(let bytes):
        let gib = Double(bytes) / Double(1 << 30)
        benchmark.measurement(.bulkRate, Int(Double(bytes >> 20) / seconds))
        benchmark.measurement(.bulkTime, Int(Double(relayTime) / 1_000_000 / gib))
        benchmark.measurement(.bulkTimeOfAll, Int(Double(timeOfAll) / 1_000_000 / gib))
        benchmark.measurement(.bulkCalls, Int(Double(calls) / gib))
    case .exchanges(let exchanges, _):
        benchmark.measurement(.exchangeRate, Int(Double(exchanges) / seconds))
        benchmark.measurement(.exchangeTime, relayTime / exchanges)
        benchmark.measurement(.exchangeTimeOfAll, timeOfAll / exchanges)
        benchmark.measurement(.exchangeCalls, calls * 1000 / exchanges)
    }
}
