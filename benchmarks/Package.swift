// swift-tools-version: 6.2
import PackageDescription

// What measures loopbridge. A package of its own, so that none of its dependencies ever reaches the product.

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "benchmarks",
    dependencies: [
        // The product's modules, as they are built into the product.
        .package(name: "loopbridge", path: ".."),
        // Without its traits: the libraries that they interpose count allocations wrongly here.
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
    ],
    targets: [
        // The yardstick: the smallest correct relay in C (Sources/limit/main.c).
        .executableTarget(name: "limit", cSettings: [.unsafeFlags(["-Wall", "-Wextra"])]),

        // Microbenchmarks of the copy loop, and what of the kernel they need.
        .target(name: "CSystemCalls", cSettings: [.unsafeFlags(["-Wall", "-Wextra"])]),
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
    ],
    cLanguageStandard: .c11
)
