public import Observability
internal import YAML

/// The parts of the log that have a level of their own (`log.levels`).
public struct PartLevels: Sendable, Equatable {
    /// The levels of those parts; for the others `log.level` holds.
    public var byPart: [LogPart: LogLevel]

    public init(_ byPart: [LogPart: LogLevel] = [:]) {
        self.byPart = byPart
    }

    /// The level of a part; nil where it has none of its own.
    subscript(part: LogPart) -> LogLevel? {
        get { byPart[part] }
        set { byPart[part] = newValue }
    }
}

extension PartLevels: KeyedMapping {
    public init() {
        self.init([:])
    }

    static let place = "in 'levels'"

    static let keys: [Key<PartLevels>] = LogPart.allCases.map { part in
        .scalar(
            part.rawValue, .partLevel, \.[part], help: "The level of lines about \(part.explanation).",
            example: part == .access ? "error" : "debug")
    }

    /// The option that sets levels of several parts in one text: `upstream=debug,access=error`.
    static let option = KeyOption<PartLevels>(
        name: "log-levels", key: KeyPathText(), placeholder: "PART=LEVEL,...",
        help: "Levels for single parts of the log; the other parts follow level.", defaultText: "none",
        keys: { text in (try? levels(in: text))?.map { KeyPathText($0.part.rawValue) } ?? [] },
        read: { text throws(ValueError) in
            let levels = try levels(in: text)
            return { target in
                for (part, level) in levels { target[part] = level }
            }
        })

    private static func levels(in text: String) throws(ValueError) -> [(part: LogPart, level: LogLevel?)] {
        if text == "none" { return [] }
        var levels: [(part: LogPart, level: LogLevel?)] = []
        for item in text.split(whereSeparator: { $0 == "," || $0 == " " }) {
            let words = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard words.count == 2, !words[0].isEmpty else {
                throw ValueError("expected parts and levels such as upstream=debug, found \(quoted(String(item)))")
            }
            let part = try ValueKind<LogPart>.choice().read(words[0])
            guard !levels.contains(where: { $0.part == part }) else {
                throw ValueError("\(quoted(part.rawValue)) is there twice")
            }
            levels.append((part, try ValueKind<LogLevel?>.partLevel.read(words[1])))
        }
        guard !levels.isEmpty else {
            throw ValueError("expected none, or parts and levels such as upstream=debug, found \(quoted(text))")
        }
        return levels
    }
}

extension ValueKind<LogLevel> {
    static var level: ValueKind { choice(synonyms: levelSynonyms) }
}

extension ValueKind<LogLevel?> {
    private static let standard = "default"

    /// A level, or the one that holds for all.
    static var partLevel: ValueKind {
        words(
            [standard] + LogLevel.allCases.map(\.rawValue), synonyms: levelSynonyms,
            parse: { text in
                if text == standard { return .some(nil) }
                return LogLevel(rawValue: text).map { .some($0) }
            }, write: { $0?.rawValue ?? standard })
    }
}

/// Other words for levels, and the levels that they mean.
private let levelSynonyms = [
    "trace": "debug", "verbose": "debug", "notice": "info", "warn": "warning", "fatal": "error", "inherit": "default",
]
