// swift-tools-version: 6.2
import PackageDescription

// A package of its own, because everything in it is built with libFuzzer's and the address sanitizer's instrumentation:
// `make fuzz-config` builds and runs it.
let package = Package(
    name: "fuzz",
    dependencies: [.package(name: "loopbridge", path: "../..")],
    targets: [
        .target(name: "CLibFuzzer"),
        .executableTarget(
            name: "FuzzConfiguration",
            dependencies: ["CLibFuzzer", .product(name: "Configuration", package: "loopbridge")],
            // The default linker gives up on the sanitizer's symbols.
            linkerSettings: [.unsafeFlags(["-use-ld=lld"])]),
    ]
)
