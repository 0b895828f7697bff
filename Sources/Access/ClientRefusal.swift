/// The reason why a client is turned away before anything of it is read or the app is called.
package enum ClientRefusal: Error, Equatable, CaseIterable {
    /// The client's address is denied (`allow`, `deny`).
    case denied
    /// The client makes new connections too fast (`per_client.rate`).
    case tooFast
    /// The client has as many connections as it may have (`per_client.max_connections`).
    case tooManyConnections
    /// There is no memory left for it.
    case memoryShort

    /// A few words for the log.
    package var explanation: String {
        switch self {
        case .denied: "its address is not allowed"
        case .tooFast: "it makes new connections too fast"
        case .tooManyConnections: "it has as many connections as it may have"
        case .memoryShort: "there is no memory left for it"
        }
    }
}
