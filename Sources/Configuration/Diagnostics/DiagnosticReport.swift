internal import YAML

/// Diagnostics as a person reads them:
///
/// ```
/// config.yaml:4:5: error: unknown key 'holt' in a route; did you mean 'hold'?
///     4 |     holt: 10s
///       |     ^~~~
/// ```
struct DiagnosticReport {
    private let diagnostics: [Diagnostic]
    private let path: String?
    private let lines: YAMLLines?

    /// - Parameter file: the file to which positions belong.
    init(of diagnostics: [Diagnostic], in file: ConfigurationFile?) {
        self.diagnostics = diagnostics
        path = file?.path
        lines = file.map { YAMLLines($0.contents) }
    }

    /// The most diagnostics that are shown: about a screen.
    static let most = 100

    /// Each line ends with a newline.
    var text: String {
        var result = diagnostics.prefix(Self.most).map(text).joined()
        if diagnostics.count > Self.most {
            result += "loopbridge: and \(diagnostics.count - Self.most) more\n"
        }
        return result
    }

    private func text(of diagnostic: Diagnostic) -> String {
        var result = text(diagnostic.message, as: diagnostic.severity.rawValue, at: diagnostic.location)
        guard let note = diagnostic.note else { return result }
        if let location = note.location, case .file(_, _?, _) = location {
            result += text("\(note.message) here", as: "note", at: location)
        } else {
            result += "    note: \(note)\n"
        }
        return result
    }

    private func text(_ message: String, as kind: String, at location: Diagnostic.Location) -> String {
        guard case .file(let path, let position?, let width) = location else {
            let place = location.description
            return "loopbridge: \(kind): \(place.isEmpty ? "" : "\(place): ")\(message)\n"
        }
        let line = "\(location): \(kind): \(message)\n"
        // Lines of other files, such as those of passwords, are never shown.
        guard path == self.path, let bytes = lines?[position.line] else { return line }
        let excerpt = SourceExcerpt(of: bytes, from: position.column, width: width)
        let number = "\(position.line)"
        let margin = String(repeating: " ", count: max(5 - number.count, 0)) + number
        let blank = String(repeating: " ", count: margin.count)
        let shown = excerpt.text.isEmpty ? "" : " \(excerpt.text)"
        return "\(line)\(margin) |\(shown)\n\(blank) | \(excerpt.mark)\n"
    }
}
