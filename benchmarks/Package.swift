// swift-tools-version: 6.2
import PackageDescription

/// What every Swift target is built with. Swift 6 language mode comes with the tools version.
let strict: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ] + (Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)])

// A package of its own, so that nothing it needs ever reaches the product.
let package = Package(
    name: "loopbridge-benchmarks",
    products: [
        .executable(name: "compare", targets: ["compare"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        // Kernel interfaces that Swift's Glibc module leaves out.
        .target(name: "CKernel"),
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
    ]
)
