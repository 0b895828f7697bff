/// Why a client is turned away before anything of it is read or the app is called.
enum ClientRefusal: Error, Equatable, CaseIterable {
    /// Its address may not come in (`allow`, `deny`).
    case denied

    /// What the log says, a few words.
    var explanation: String {
        switch self {
        case .denied: "its address is not allowed"
        }
    }
}
