/// The table of `top`: a ``StatusReport`` as lines of text.
public struct StatusTable {
    /// The layout in the terminal.
    public struct Layout: Sendable {
        public var width: Int
        /// The number of lines that there is room for; nil for any number.
        public var height: Int?
        /// The number of routes above the first one that is shown.
        public var offset: Int
        /// Whether headings and states are set off, and whether in colours.
        public var hasEmphasis: Bool
        public var hasColours: Bool

        public init(
            width: Int, height: Int? = nil, offset: Int = 0, hasEmphasis: Bool = false, hasColours: Bool = false
        ) {
            self.width = width
            self.height = height
            self.offset = offset
            self.hasEmphasis = hasEmphasis
            self.hasColours = hasColours
        }

        fileprivate var style: ScreenText.Style {
            ScreenText.Style(hasEmphasis: hasEmphasis, hasColours: hasColours)
        }
    }

    private let report: StatusReport
    private let earlier: StatusReport?
    /// The source of the report, or the reason why there is no newer one.
    private let trouble: String?

    /// - Parameters:
    ///   - earlier: the report before, for rates; one of another run counts for nothing.
    ///   - trouble: why there is no newer report, in a sentence.
    public init(_ report: StatusReport, earlier: StatusReport? = nil, trouble: String? = nil) {
        self.report = report
        self.earlier = earlier?.startTime == report.startTime ? earlier : nil
        self.trouble = trouble
    }

    /// The number of routes that can be scrolled in such a layout.
    public func mostOffset(_ layout: Layout) -> Int {
        max(0, report.routes.count - routesShown(layout))
    }

    public func lines(_ layout: Layout) -> [String] {
        var lines = [heading(layout), tableHeading(layout)]
        let offset = min(max(layout.offset, 0), mostOffset(layout))
        let routes = report.routes.dropFirst(offset).prefix(routesShown(layout))
        lines += routes.map { row($0, layout) }
        if report.routes.isEmpty { lines.append(cut("Nothing is bridged yet.", layout)) }
        lines += footer.map { cut($0, layout) }
        // The latest messages, as far as there is room for them.
        let room = (layout.height ?? .max) - lines.count - 1
        if room > 0, !report.messages.isEmpty {
            lines.append("")
            lines += report.messages.suffix(min(room, 5)).map { message($0, layout) }
        }
        return Array(lines.prefix(max(1, layout.height ?? .max)))
    }

    // MARK: Parts

    private func routesShown(_ layout: Layout) -> Int {
        guard let height = layout.height else { return report.routes.count }
        return max(1, height - 2 - footer.count)
    }

    private var isStale: Bool { trouble != nil }

    private func heading(_ layout: Layout) -> String {
        let up = Quantity.age(report.time - report.startTime)
        let count = report.routes.count
        let state = trouble ?? "\(report.state) for \(up)"
        let text = "loopbridge \(report.version): \(state), \(count) \(count == 1 ? "route" : "routes")"
        let isBad = isStale || report.state != "running"
        return ScreenText.emphasised(cut(text, layout), isBad ? .bad : .strong, layout.style)
    }

    private func tableHeading(_ layout: Layout) -> String {
        let shown = routesShown(layout)
        let count = report.routes.count
        let offset = min(max(layout.offset, 0), mostOffset(layout))
        let columns = StatusColumn.fitting(layout.width)
        let line = columns.map { column in
            // The range of routes that is shown, where not all fit.
            let isPart = column == .route && shown < count
            let title = isPart ? "\(offset + 1)-\(offset + shown) of \(count)" : column.title
            return ScreenText(title).filled(to: width(of: column, columns, layout), isRight: column.isRight)
        }.joined(separator: " ")
        return ScreenText.emphasised(cut(line, layout), .heading, layout.style)
    }

    private func width(of column: StatusColumn, _ columns: [StatusColumn], _ layout: Layout) -> Int {
        guard column == .route else { return column.width }
        let others = columns.dropFirst().reduce(0) { $0 + $1.width + 1 }
        // No wider than what is in it.
        let longest = report.routes.map { ScreenText($0.name).width }.max() ?? 0
        return max(column.width, min(layout.width - others, max(longest, column.title.count)))
    }

    private func row(_ route: StatusReport.Route, _ layout: Layout) -> String {
        let before = earlier?.routes.first { $0.name == route.name }
        let rates = StatusRates(route, since: before, seconds: earlier.map { report.time - $0.time } ?? 0)
        let columns = StatusColumn.fitting(layout.width)
        var cells: [String] = []
        var room = layout.width
        for column in columns where room > 0 {
            let width = min(width(of: column, columns, layout), room)
            room -= width + 1
            let cell = ScreenText(text(column, of: route, rates)).filled(to: width, isRight: column.isRight)
            let emphasis = isStale ? .faint : emphasis(of: column, in: route)
            cells.append(ScreenText.emphasised(cell, emphasis, layout.style))
        }
        return cells.joined(separator: " ")
    }

    private func text(_ column: StatusColumn, of route: StatusReport.Route, _ rates: StatusRates) -> String {
        let none = "-"
        return switch column {
        case .route: route.name
        case .app: app(of: route)
        case .connections: Quantity.count(Double(route.connections.count))
        case .waiting: Quantity.count(Double(route.held + route.queued.count))
        case .newConnections: rates.connections.map(Quantity.count) ?? none
        case .requests: rates.requests.map(Quantity.count) ?? none
        case .toApp: rates.bytesToApp.map(Quantity.bytes) ?? none
        case .toClient: rates.bytesToClient.map(Quantity.bytes) ?? none
        case .median: (route.latest?.latency?.p50).map(Quantity.time) ?? none
        case .slowest: (route.latest?.latency?.p99).map(Quantity.time) ?? none
        case .failures: Quantity.count(Double(route.totals.failures))
        }
    }

    /// `up`, and for how long it has been down.
    private func app(of route: StatusReport.Route) -> String {
        switch route.app.presence {
        case "up": "up"
        case "down": route.app.since.map { "down \(Quantity.age(report.time - $0))" } ?? "down"
        default: "?"
        }
    }

    private func emphasis(of column: StatusColumn, in route: StatusReport.Route) -> ScreenText.Emphasis {
        switch (column, route.app.presence) {
        case (.app, "up"): .good
        case (.app, "down"): .bad
        case (.waiting, _): route.held + route.queued.count > 0 ? .strong : .none
        default: .none
        }
    }

    /// The workers, and the process.
    private var footer: [String] {
        let workers = report.workers
        let connections = workers.map { Quantity.count(Double($0.connections)) }
        let lag = workers.map(\.loopLag).max() ?? 0
        let parked = workers.reduce(0) { $0 + $1.parkedBytes }
        let each = workers.count <= 8 ? " (\(connections.joined(separator: ", ")))" : ""
        let total = Quantity.count(Double(workers.reduce(0) { $0 + $1.connections }))
        let process = report.process
        let cpu =
            earlier.flatMap { earlier -> String? in
                let seconds = report.time - earlier.time
                guard seconds > 0 else { return nil }
                let share = max(0, process.cpuSeconds - earlier.process.cpuSeconds) / seconds
                return "CPU \(Int((share * 100).rounded()))%"
            } ?? "CPU \(Quantity.time(process.cpuSeconds)) in all"
        var line =
            "process: \(cpu), memory \(Quantity.bytes(Double(process.residentBytes))), "
            + "files \(process.openDescriptors) of \(process.maxDescriptors), threads \(process.threads)"
        if report.reloads.succeeded + report.reloads.failed > 0 {
            line += ", reloads \(report.reloads.succeeded)"
            if report.reloads.hasFailedLast { line += " (the last one failed)" }
        }
        if report.droppedLogLines > 0 { line += ", log lines lost \(Quantity.count(Double(report.droppedLogLines)))" }
        return [
            "workers: \(workers.count), connections \(total)\(workers.count > 1 ? each : ""), "
                + "loop lag \(Quantity.time(lag)), parked \(Quantity.bytes(Double(parked)))",
            line,
        ]
    }

    private func message(_ message: StatusReport.Message, _ layout: Layout) -> String {
        let times = message.count > 1 ? " (\(message.count) times)" : ""
        let age = Quantity.age(report.time - message.time)
        let first = message.text.split(separator: "\n").first.map(String.init) ?? ""
        return cut("\(age) ago\(times): \(first)", layout)
    }

    private func cut(_ text: String, _ layout: Layout) -> String {
        ScreenText(text).cut(to: layout.width).text
    }
}
