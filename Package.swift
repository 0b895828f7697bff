// swift-tools-version: 6.2
import Foundation
import PackageDescription

/// What every Swift target is built with. Swift 6 language mode comes with the tools version.
let strict: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ] + (Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)])

/// For the modules that are done when traffic begins: small rather than fast, for the size of the static program.
let small: [SwiftSetting] = [.unsafeFlags(["-Osize"], .when(configuration: .release))]

/// For the modules that read what strangers send: every unsafe construct must be spelled out, and there is none.
let memorySafe: [SwiftSetting] = strict + [.strictMemorySafety()]

let package = Package(
    name: "loopbridge",
    products: [
        .executable(name: "loopbridge", targets: ["loopbridge"]),
        // For the microbenchmarks, which are a package of their own (benchmarks/Package.swift).
        .library(name: "EventLoop", targets: ["EventLoop"]),
        .library(name: "Network", targets: ["Network"]),
        .library(name: "Relay", targets: ["Relay"]),
        .library(name: "Upstream", targets: ["Upstream"]),
        // For the fuzzers, which are another one (Tests/Fuzz/Package.swift).
        .library(name: "Configuration", targets: ["Configuration"]),
        .library(name: "HTTP1", targets: ["HTTP1"]),
        .library(name: "ProxyProtocol", targets: ["ProxyProtocol"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: [
        // C libraries and kernel interfaces: module maps, and the few inline shims that Swift needs.
        .systemLibrary(name: "CLibevent", providers: [.apt(["libevent-dev"])]),
        .systemLibrary(name: "CLibYAML", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CCrypt", providers: [.apt(["libcrypt-dev"])]),
        .systemLibrary(name: "COpenSSL", providers: [.apt(["libssl-dev"])]),
        .target(name: "CLinux"),

        // From the ground up; a module imports only what stands above it in this list.
        .target(name: "EventLoop", dependencies: ["CLibevent", "CLinux"], swiftSettings: strict),
        .target(name: "Network", dependencies: ["EventLoop", "CLinux"], swiftSettings: strict),
        .target(name: "TLS", dependencies: ["Network", "EventLoop", "CLinux", "COpenSSL"], swiftSettings: strict),
        .target(name: "HTTP1", swiftSettings: memorySafe),
        .target(name: "ProxyProtocol", dependencies: ["Network"], swiftSettings: memorySafe),
        .target(name: "YAML", dependencies: ["CLibYAML"], swiftSettings: strict + small),
        .target(name: "Passwords", dependencies: ["CCrypt", "YAML"], swiftSettings: strict),
        .target(name: "Observability", dependencies: ["EventLoop", "Network", "HTTP1"], swiftSettings: strict),
        .target(name: "Memory", dependencies: ["EventLoop", "CLinux"], swiftSettings: strict),
        .target(name: "Relay", dependencies: ["EventLoop", "Network", "Memory", "CLinux"], swiftSettings: strict),
        .target(name: "Upstream", dependencies: ["EventLoop", "Network"], swiftSettings: strict),
        .target(
            name: "Configuration", dependencies: ["EventLoop", "Network", "Observability", "Passwords", "YAML"],
            swiftSettings: memorySafe + small),
        .target(name: "Discovery", dependencies: ["EventLoop", "Network"], swiftSettings: strict + small),
        .target(name: "FileWatching", dependencies: ["EventLoop"], swiftSettings: strict),
        .target(name: "Supervisor", dependencies: ["EventLoop", "CLinux"], swiftSettings: strict),
        .target(
            name: "Access", dependencies: ["Configuration", "EventLoop", "HTTP1", "Network", "Passwords"],
            swiftSettings: strict),
        .target(
            name: "Proxy",
            dependencies: [
                "Access", "EventLoop", "Network", "Relay", "Upstream", "HTTP1", "ProxyProtocol", "Configuration",
                "Observability", "Passwords", "TLS", "Memory",
            ],
            swiftSettings: strict),
        .target(
            name: "Server",
            dependencies: [
                "Proxy", "Access", "EventLoop", "Network", "Relay", "Upstream", "Configuration", "Discovery",
                "FileWatching", "Observability", "Passwords", "TLS", "Memory", "CLinux",
            ],
            swiftSettings: strict + small),
        .executableTarget(
            name: "loopbridge",
            dependencies: [
                "Server", "Proxy", "Supervisor", "Discovery", "Configuration", "EventLoop", "HTTP1", "Network",
                "Observability",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict + small),

        // Tells tests in other languages what the HTTP parsers make of bytes.
        .executableTarget(
            name: "HTTP1Probe", dependencies: ["HTTP1"], path: "Tests/HTTP1Probe", swiftSettings: strict),
        .target(
            name: "TestSupport", dependencies: ["EventLoop", "Network", "CLibevent"], path: "Tests/TestSupport",
            swiftSettings: strict),
        .testTarget(name: "EventLoopTests", dependencies: ["EventLoop", "TestSupport"], swiftSettings: strict),
        .testTarget(name: "HTTP1Tests", dependencies: ["HTTP1"], swiftSettings: strict),
        .testTarget(name: "ProxyProtocolTests", dependencies: ["ProxyProtocol", "Network"], swiftSettings: strict),
        .testTarget(name: "YAMLTests", dependencies: ["YAML"], swiftSettings: strict),
        .testTarget(name: "PasswordsTests", dependencies: ["Passwords"], swiftSettings: strict),
        .testTarget(
            name: "NetworkTests", dependencies: ["Network", "EventLoop", "CLinux", "TestSupport"], swiftSettings: strict
        ),
        .testTarget(
            name: "TLSTests",
            dependencies: ["TLS", "Relay", "Network", "EventLoop", "TestSupport", "CLinux", "COpenSSL"],
            swiftSettings: strict),
        .testTarget(name: "MemoryTests", dependencies: ["Memory", "EventLoop"], swiftSettings: strict),
        .testTarget(
            name: "RelayTests", dependencies: ["Relay", "Network", "EventLoop", "TestSupport", "CLinux"],
            swiftSettings: strict),
        .testTarget(
            name: "UpstreamTests", dependencies: ["Upstream", "Network", "EventLoop", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "ObservabilityTests", dependencies: ["Observability", "EventLoop", "Network", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "ConfigurationTests", dependencies: ["Configuration", "Network", "Observability", "YAML"],
            swiftSettings: strict),
        .testTarget(
            name: "DiscoveryTests", dependencies: ["Discovery", "Network", "EventLoop"], swiftSettings: strict),
        .testTarget(
            name: "FileWatchingTests", dependencies: ["FileWatching", "EventLoop", "TestSupport"], swiftSettings: strict
        ),
        .testTarget(name: "SupervisorTests", dependencies: ["Supervisor", "EventLoop"], swiftSettings: strict),
        .testTarget(
            name: "AccessTests",
            dependencies: ["Access", "Configuration", "HTTP1", "Network", "EventLoop", "Passwords", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "ProxyTests",
            dependencies: [
                "Proxy", "Access", "Configuration", "HTTP1", "Relay", "Upstream", "Network", "EventLoop",
                "Observability", "Memory", "Passwords", "ProxyProtocol", "TestSupport",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ServerTests",
            dependencies: [
                "Server", "Proxy", "Configuration", "Network", "EventLoop", "Observability", "Memory", "TestSupport",
            ],
            swiftSettings: strict),
    ]
)

// The READMEs in the modules' folders are for people.
for target in package.targets where target.type != .system {
    let folder = "\(Context.packageDirectory)/\(target.path ?? "Sources/\(target.name)")"
    let files = FileManager.default.subpaths(atPath: folder) ?? []
    target.exclude += files.filter { $0 == "README.md" || $0.hasSuffix("/README.md") }
}
