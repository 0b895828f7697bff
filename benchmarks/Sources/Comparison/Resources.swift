public import Foundation

/// Where the files are that the comparison needs.
public struct Resources: Sendable {
    /// The folder with peers, apps and load.
    public let benchmarks: URL
    /// This very program, whose hidden commands are load generators.
    let program: String

    var httpApp: URL { benchmarks.appending(path: "apps/http.conf") }
    var wrkReport: URL { benchmarks.appending(path: "load/wrk-report.lua") }

    /// Looks for the folder above this program, which `swift build` puts into a folder of it.
    public init() throws {
        program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        var folder = URL(fileURLWithPath: program)
        while folder.path != "/" {
            folder.deleteLastPathComponent()
            if FileManager.default.fileExists(atPath: folder.appending(path: "peers").path) {
                benchmarks = folder
                return
            }
        }
        throw Failure("there is no folder 'peers' above \(program)")
    }
}
