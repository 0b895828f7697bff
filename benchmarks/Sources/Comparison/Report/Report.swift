public import Foundation

/// The report in all its forms.
public struct Report {
    private let results: Results

    public init(_ results: Results) {
        self.results = results
    }

    /// As Markdown.
    public var text: String { MarkdownReport(results: results, plots: plots).text }

    private var plots: [Plot] { Plot.all(results) }

    /// Writes report.md, report.json and the plots into a folder, which is made if need be. Plots of earlier runs are
    /// removed. Where sudo(8) started us, the files belong to whoever called it.
    public func write(to folder: URL) throws {
        let manager = FileManager.default
        try manager.createDirectory(at: folder, withIntermediateDirectories: true)
        for name in try manager.contentsOfDirectory(atPath: folder.path) where name.hasSuffix(".svg") {
            try manager.removeItem(at: folder.appending(path: name))
        }
        try text.write(to: folder.appending(path: "report.md"), atomically: true, encoding: .utf8)
        try JSONReport(results).encoded().write(to: folder.appending(path: "report.json"))
        for plot in plots {
            try plot.svg.write(to: folder.appending(path: plot.fileName), atomically: true, encoding: .utf8)
        }
        let environment = ProcessInfo.processInfo.environment
        if let user = environment["SUDO_UID"].flatMap(UInt32.init),
            let group = environment["SUDO_GID"].flatMap(UInt32.init)
        {
            for path in try [folder.path]
                + manager.contentsOfDirectory(atPath: folder.path).map({ "\(folder.path)/\($0)" })
            {
                chown(path, user, group)
            }
        }
    }
}
