public import Configuration
public import Observability

extension LoadedConfiguration {
    /// Warns of settings that are allowed but surely not meant.
    public func log(to log: Log) {
        let log = log.part(.configuration)
        for warning in warnings { log.warning(warning.message, ["at": "\(warning.location)"]) }
    }
}
