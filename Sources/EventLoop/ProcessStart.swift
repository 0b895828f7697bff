internal import CLinux

/// The arguments and the environment of the process, as the kernel gave them: unlike Swift's own ways to these, it
/// needs no /proc, and works in an empty root.
public enum ProcessStart {
    /// The program's name and its arguments.
    public static let arguments: [String] = strings(clinux_start().arguments)

    /// The environment, each entry `NAME=VALUE`.
    public static let environmentEntries: [String] = strings(clinux_start().environment)

    /// Names and values; of a name that stands twice the first counts, as for getenv(3).
    public static let environment: [String: String] = {
        let pairs = environmentEntries.compactMap { entry -> (String, String)? in
            guard let separator = entry.firstIndex(of: "=") else { return nil }
            return (String(entry[..<separator]), String(entry[entry.index(after: separator)...]))
        }
        return Dictionary(pairs) { first, _ in first }
    }()

    private static func strings(_ pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> [String] {
        var strings: [String] = []
        while let string = pointers?[strings.count] { strings.append(String(cString: string)) }
        return strings
    }
}
