/// A table in Markdown, whose columns are aligned so that it can be read as it is.
struct MarkdownTable {
    private var rows: [[String]] = []
    private let columns: Int

    init(_ headings: [String]) {
        columns = headings.count
        rows.append(headings)
    }

    /// - Precondition: as many cells as there are headings.
    mutating func add(_ cells: [String]) {
        precondition(cells.count == columns)
        rows.append(cells.map { $0.replacing("|", with: "\\|") })
    }

    /// The first column to the left, the others to the right.
    var text: String {
        let widths = (0..<columns).map { column in max(3, rows.map { $0[column].count }.max() ?? 0) }
        func line(_ cells: [String]) -> String {
            let padded = cells.enumerated().map { column, cell in
                let blanks = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 ? cell + blanks : blanks + cell
            }
            return "| " + padded.joined(separator: " | ") + " |"
        }
        let rule = widths.enumerated().map { column, width in
            String(repeating: "-", count: column == 0 ? width : width - 1) + (column == 0 ? "" : ":")
        }
        return ([line(rows[0]), line(rule)] + rows.dropFirst().map(line)).joined(separator: "\n")
    }
}
