// swift-tools-version: 6.2
import PackageDescription

// A package of its own, because everything in it is built with libFuzzer's and the address sanitizer's instrumentation:
// `make fuzz-config`, `make fuzz-http` and `make fuzz-proxy` build and run it.

/// A program that libFuzzer drives, for one module.
func fuzzer(_ name: String, of module: String) -> Target {
    .executableTarget(
        name: name,
        dependencies: ["CLibFuzzer", .product(name: module, package: "loopbridge")],
        // The default linker gives up on the sanitizer's symbols.
        linkerSettings: [.unsafeFlags(["-use-ld=lld"])])
}

let package = Package(
    name: "fuzz",
    dependencies: [.package(name: "loopbridge", path: "../..")],
    targets: [
        .target(name: "CLibFuzzer"),
        fuzzer("FuzzConfiguration", of: "Configuration"),
        fuzzer("FuzzRequestHead", of: "HTTP1"),
        fuzzer("FuzzResponseHead", of: "HTTP1"),
        fuzzer("FuzzChunkedBody", of: "HTTP1"),
        fuzzer("FuzzProxyHeader", of: "ProxyProtocol"),
    ]
)
