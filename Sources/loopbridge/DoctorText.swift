import Discovery

/// The diagnosis as a person reads it: a table, then a paragraph for whatever the outside cannot reach.
enum DoctorText {
    private static let width = 80

    static func render(_ diagnosis: Diagnosis) -> String {
        guard !diagnosis.findings.isEmpty else {
            return
                "Nothing listens here, neither for connections nor for datagrams. Start the app first, then ask again.\n"
        }
        let rows =
            [["LISTENS ON", "PROCESS", "FROM OUTSIDE"]]
            + diagnosis.findings.map { finding in
                let owners = finding.owners.map(\.description).joined(separator: ", ")
                return [finding.listensOn, owners.isEmpty ? "(hidden)" : owners, finding.verdict]
            }
        var text = table(rows)
        for finding in diagnosis.findings where finding.command != nil {
            text += "\n\(finding.listensOn) cannot be reached from outside.\n"
            text += paragraph("Why", finding.explanation(outside: diagnosis.outsideAddresses))
            if let caution = finding.caution { text += paragraph("Mind", caution) }
            if let command = finding.command { text += "  Fix:  \(command)\n" }
        }
        for finding in diagnosis.findings where finding.isReachable {
            guard let caution = finding.caution else { continue }
            text += "\n\(finding.listensOn) can be reached from outside.\n" + paragraph("Mind", caution)
        }
        if diagnosis.findings.allSatisfy({ $0.command == nil }) {
            text += "\nThe outside can reach everything that it should.\n"
        }
        if diagnosis.hiddenOwners > 0 {
            text += "\nWhose some sockets are is hidden from this user; root sees it"
            text += ", in a container with --pid or --cap-add SYS_PTRACE.\n"
        }
        return text
    }

    private static func table(_ rows: [[String]]) -> String {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            var line = ""
            for (cell, width) in zip(row.dropLast(), widths) {
                line += cell.padding(to: width + 3)
            }
            return line + (row.last ?? "") + "\n"
        }.joined()
    }

    /// A labelled paragraph, wrapped between words.
    private static func paragraph(_ label: String, _ text: String) -> String {
        let label = "  \(label):".padding(to: 8)
        let indent = "".padding(to: 8)
        var lines: [String] = []
        var line = label
        var isEmpty = true
        for word in text.split(separator: " ") {
            if !isEmpty, line.count + word.count + 1 > width {
                lines.append(line)
                line = indent
                isEmpty = true
            }
            line += (isEmpty ? "" : " ") + word
            isEmpty = false
        }
        return (lines + [line]).joined(separator: "\n") + "\n"
    }
}

extension String {
    /// The text with spaces behind it, up to a width.
    fileprivate func padding(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
