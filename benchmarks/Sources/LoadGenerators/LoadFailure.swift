import Glibc

/// Why a load generator could not do its work; one line for a person.
public struct LoadFailure: Error, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }

    /// With what the last failed call says.
    static func system(_ what: String) -> LoadFailure {
        LoadFailure("\(what): \(String(cString: strerror(errno)))")
    }
}
