// swift-tools-version: 6.2
import PackageDescription

// What measures loopbridge. A package of its own, so that none of its dependencies ever reaches the product.

/// What every Swift target is built with. Swift 6 language mode comes with the tools version.
let strict: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ] + (Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)])

/// What every C target is built with.
let strictC: [CSetting] = [.unsafeFlags(["-Wall", "-Wextra"])]

let package = Package(
    name: "loopbridge-benchmarks",
    products: [
        .executable(name: "compare", targets: ["compare"]),
        .executable(name: "limit", targets: ["limit"]),
    ],
    dependencies: [
        // The product's modules, as they are built into the product.
        .package(name: "loopbridge", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        // Without its traits: the libraries that they interpose count allocations wrongly here.
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
    ],
    targets: [
        // The yardstick: the smallest correct relay in C (Sources/limit/main.c).
        .executableTarget(name: "limit", cSettings: strictC),

        // The comparison. First, kernel interfaces that Swift's Glibc module leaves out.
        .target(name: "CKernel", cSettings: strictC),
        // The load that no well-known program makes: a fixed rate, idle connections, time to the first byte.
        .target(
            name: "LoadGenerators",
            dependencies: ["CKernel", .product(name: "Histogram", package: "hdrhistogram-swift")],
            swiftSettings: strict),
        // Peers, namespaces, measurements and the report.
        .target(name: "Comparison", dependencies: ["CKernel"], swiftSettings: strict),
        .executableTarget(
            name: "compare",
            dependencies: [
                "Comparison", "LoadGenerators",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        .testTarget(name: "ComparisonTests", dependencies: ["Comparison"], swiftSettings: strict),
        .testTarget(name: "LoadGeneratorsTests", dependencies: ["LoadGenerators"], swiftSettings: strict),

        // Microbenchmarks of the copy loop, and what of the kernel they need.
        .target(name: "CSystemCalls", cSettings: strictC),
        .executableTarget(
            name: "CopyLoop",
            dependencies: [
                "CSystemCalls",
                .product(name: "EventLoop", package: "loopbridge"),
                .product(name: "Network", package: "loopbridge"),
                .product(name: "Relay", package: "loopbridge"),
                .product(name: "Benchmark", package: "benchmark"),
            ],
            path: "Benchmarks/CopyLoop",
            swiftSettings: strict,
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),

        // Microbenchmarks of the connection pool, and a malloc(3) that counts.
        .target(name: "CAllocations", cSettings: strictC),
        .executableTarget(
            name: "Pooling",
            dependencies: [
                "CAllocations",
                .product(name: "EventLoop", package: "loopbridge"),
                .product(name: "Network", package: "loopbridge"),
                .product(name: "Upstream", package: "loopbridge"),
                .product(name: "Benchmark", package: "benchmark"),
            ],
            path: "Benchmarks/Pooling",
            swiftSettings: strict,
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
    ],
    cLanguageStandard: .c11
)
