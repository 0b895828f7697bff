public import Configuration

/// The source of a running server's next configuration.
public struct ReloadSource {
    /// Reads and checks all sources anew.
    public typealias Load = () throws(ConfigurationErrors) -> LoadedConfiguration

    /// The file whose changes are followed; nil for none. It need not exist.
    public let watchedFile: String?
    let load: Load

    /// - Parameter load: called on the control loop.
    public init(watchedFile: String?, load: @escaping Load) {
        self.watchedFile = watchedFile
        self.load = load
    }
}
