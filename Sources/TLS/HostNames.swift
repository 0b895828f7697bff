/// Finds the certificate for a host: by its whole name first, then by a `*` in place of its first label.
struct HostNames {
    private var exact: [String: Int] = [:]
    /// By what follows the `*`, its dot included.
    private var wildcards: [Substring: Int] = [:]

    /// The one that came first keeps a name.
    /// - Parameter name: in lower case.
    mutating func add(_ name: String, for index: Int) {
        if name.hasPrefix("*.") {
            let suffix = name.dropFirst()
            if wildcards[suffix] == nil { wildcards[suffix] = index }
        } else if exact[name] == nil {
            exact[name] = index
        }
    }

    func index(of host: String) -> Int? {
        let host = host.lowercased()
        if let index = exact[host] { return index }
        guard !wildcards.isEmpty, let dot = host.firstIndex(of: "."), dot > host.startIndex else { return nil }
        return wildcards[host[dot...]]
    }
}
