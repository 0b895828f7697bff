/// What a text may ask of the parser at most; beyond it the text is refused.
public enum YAMLLimits {
    /// The longest text in bytes.
    public static let bytes = 1 << 20
    /// How many lists and mappings may enclose a node.
    public static let depth = 32
    /// How many keys, values and list items there may be.
    public static let nodes = 65_536
}
