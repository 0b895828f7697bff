/// When the connection to the app is opened for a client.
public enum ConnectMoment: String, Sendable, Equatable, CaseIterable {
    /// As soon as the client is connected.
    case accept
    /// Once the client has said something; for apps that wait for their clients to speak first.
    case firstByte = "first_byte"
}
