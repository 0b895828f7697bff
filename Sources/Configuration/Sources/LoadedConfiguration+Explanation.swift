internal import YAML

extension LoadedConfiguration {
    /// ``Configuration/yaml`` with a comment behind each value that says where it came from: `# default`,
    /// `# config.yaml:4:11`, `# LOOPBRIDGE_HOLD`, `# --hold`.
    /// - Throws: where there is no memory for it.
    public var explanation: String {
        get throws {
            let tree = YAMLNode(encoding: ConfigurationDraft(of: configuration))
            // The text has a line for each key and item, in the order of the tree.
            let lines = try tree.yamlText.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            let comments = self.comments(of: tree, at: KeyPathText())
            let width =
                zip(lines, comments).compactMap { line, comment in
                    comment.map { _ in min(line.unicodeScalars.count, 40) }
                }.max() ?? 0
            return zip(lines, comments).map { line, comment in
                guard let comment else { return line + "\n" }
                let gap = String(repeating: " ", count: max(width - line.unicodeScalars.count, 0))
                return "\(line)\(gap)  # \(comment)\n"
            }.joined()
        }
    }

    /// One for each line that the node takes; nil where the line has no value.
    private func comments(of node: YAMLNode, at key: KeyPathText) -> [String?] {
        switch node.content {
        case .scalar: [comment(for: key)]
        case .sequence(let items):
            items.enumerated().flatMap { comments(of: $1, at: key.appending(KeyPathText(index: $0))) }
        case .mapping(let entries):
            entries.flatMap { entry -> [String?] in
                let inner = comments(of: entry.value, at: key.appending(entry.key.text ?? ""))
                if case .scalar = entry.value.content { return inner }
                return [nil] + inner
            }
        }
    }

    private func comment(for key: KeyPathText) -> String {
        // Lists and items that are given as a whole have one origin.
        if let origin = origins[key] ?? key.list.flatMap({ origins[$0] }) ?? key.item.flatMap({ origins[$0] }) {
            return origin.description
        }
        return key.isInRoutes && key.description.hasSuffix(".name") ? "the first listen address" : "default"
    }
}
