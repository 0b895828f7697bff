/// The bounds of a text; beyond them it is refused.
public enum YAMLLimits {
    /// The longest text in bytes.
    public static let bytes = 1 << 20
    /// The most lists and mappings that enclose a node.
    public static let depth = 32
    /// The most keys, values and list items.
    public static let nodes = 65_536
}
