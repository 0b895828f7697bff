extension Plot {
    /// The measures of the picture, in pixels.
    private enum Layout {
        static let margin = 24.0
        static let heading = 76.0
        static let panelWidth = 384.0
        static let panelGap = 28.0
        static let panelHeading = 34.0
        static let rowHeight = 21.0
        static let barHeight = 13.0
        static let labelWidth = 150.0
        static let valueWidth = 58.0
        static let columns = 3
    }

    /// The picture, in colours that suit what surrounds it, light or dark.
    var svg: String {
        let columns = min(Layout.columns, panels.count)
        let rows = stride(from: 0, to: panels.count, by: columns).map {
            Array(panels[$0..<min($0 + columns, panels.count)])
        }
        let heights = rows.map { row in
            Layout.panelHeading + Double(row.map(\.bars.count).max() ?? 0) * Layout.rowHeight + Layout.panelGap
        }
        let width =
            2 * Layout.margin + Double(columns) * Layout.panelWidth + Double(columns - 1) * Layout.panelGap
        let height = Layout.heading + heights.reduce(0, +) + Layout.margin / 2
        var picture = SVGDocument(width: width, height: height, title: title, description: summary)
        picture.rectangle(x: 0, y: 0, width: width, height: height, radius: 10, className: "paper")
        picture.text(title, x: Layout.margin, y: 38, className: "title")
        picture.text(subtitle, x: Layout.margin, y: 58, className: "subtitle")
        var y = Layout.heading
        for (row, height) in zip(rows, heights) {
            for (column, panel) in row.enumerated() {
                let x = Layout.margin + Double(column) * (Layout.panelWidth + Layout.panelGap)
                Plot.draw(panel, x: x, y: y, on: &picture)
            }
            y += height
        }
        return picture.file(style: Plot.style)
    }

    /// What the picture shows, in words.
    private var summary: String {
        panels.map { panel in
            let bars = panel.bars.map { bar in
                "\(bar.participant.title) \(bar.spread.map { panel.metric.format($0.median) } ?? "failed")"
            }
            return "\(panel.title): \(bars.joined(separator: ", "))."
        }.joined(separator: " ")
    }

    private static func draw(_ panel: Panel, x: Double, y: Double, on picture: inout SVGDocument) {
        picture.text(panel.title, x: x, y: y + 16, className: "panel")
        let left = x + Layout.labelWidth
        let room = Layout.panelWidth - Layout.labelWidth - Layout.valueWidth
        let most = panel.bars.compactMap(\.spread?.most).max() ?? 1
        let scale = most > 0 ? room / most : 0
        let top = y + Layout.panelHeading - 6
        let bottom = top + Double(panel.bars.count) * Layout.rowHeight
        for (index, bar) in panel.bars.enumerated() {
            let middle = top + (Double(index) + 0.5) * Layout.rowHeight
            let role = bar.participant.role.rawValue
            picture.text(
                bar.participant.title, x: left - 8, y: middle + 4, className: role == "ours" ? "label own" : "label")
            guard let spread = bar.spread else {
                picture.text("failed", x: left + 6, y: middle + 4, className: "value faint")
                continue
            }
            picture.rectangle(
                x: left, y: middle - Layout.barHeight / 2, width: max(1, spread.median * scale),
                height: Layout.barHeight, radius: 2, className: role)
            if spread.count > 1 {
                let from = left + spread.least * scale
                let to = left + spread.most * scale
                picture.line(x1: from, y1: middle, x2: to, y2: middle, className: "whisker")
                for end in [from, to] {
                    picture.line(x1: end, y1: middle - 3.5, x2: end, y2: middle + 3.5, className: "whisker")
                }
            }
            picture.text(
                panel.metric.format(spread.median), x: left + max(spread.most, spread.median) * scale + 6,
                y: middle + 4,
                className: role == "ours" ? "value own" : "value")
        }
        picture.line(x1: left, y1: top, x2: left, y2: bottom, className: "axis")
    }

    /// Ours in a colour of its own; what is no competitor in grey.
    private static let style = """
        text { font-family: system-ui, -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; }
        .paper { fill: #ffffff; }
        .title { font-size: 20px; font-weight: 600; fill: #1b2330; }
        .subtitle { font-size: 13px; fill: #5b6675; }
        .panel { font-size: 13.5px; font-weight: 600; fill: #1b2330; }
        .label { font-size: 12px; fill: #3a4553; text-anchor: end; }
        .value { font-size: 11.5px; fill: #3a4553; }
        .own { font-weight: 700; fill: #b4480a; }
        .faint { fill: #8a94a2; font-style: italic; }
        .ours { fill: #e8711c; }
        .peer { fill: #7ea6d8; }
        .direct { fill: #b9c0ca; }
        .limit { fill: #8e98a6; }
        .whisker { stroke: #1b2330; stroke-width: 1.1; opacity: 0.75; }
        .axis { stroke: #c4cad3; stroke-width: 1; }
        @media (prefers-color-scheme: dark) {
        .paper { fill: #12171f; }
        .title, .panel { fill: #eef2f7; }
        .subtitle { fill: #9aa6b5; }
        .label, .value { fill: #c5ced9; }
        .own { fill: #ff9a52; }
        .faint { fill: #7c8796; }
        .ours { fill: #f0812e; }
        .peer { fill: #4d7ab3; }
        .direct { fill: #55606e; }
        .limit { fill: #768292; }
        .whisker { stroke: #eef2f7; }
        .axis { stroke: #3a4451; }
        }
        """
}
