public import EventLoop
public import Network
internal import Synchronization

/// Why connections to an app come from other addresses than they should.
public enum SourceTrouble: Sendable {
    /// 127.0.0.1 has no port left for the app; other addresses of loopback stand in.
    case usedUp
    /// The address that stands for this client has no port left; others stand in.
    case clientUsedUp(IPAddress, IPAddress)
    /// Nothing stands in where the app listens at this address: connections fail until others have ended.
    case noPortLeft(SocketAddress)
    /// Clients have no addresses of their own where the app listens at this address.
    case notPossible(SocketAddress)
    /// The system refuses the address that stands for a client.
    case cannotBind(IPAddress, SystemError)

    /// The troubles of a route that have been told already. Callable from every thread.
    public final class Register: Sendable {
        private let told = Atomic<UInt8>(0)

        public init() {}

        /// Whether nothing of this kind has been told before; from now on it has.
        func isNew(_ trouble: SourceTrouble) -> Bool {
            told.bitwiseOr(trouble.bit, ordering: .relaxed).oldValue & trouble.bit == 0
        }
    }

    private var bit: UInt8 {
        switch self {
        case .usedUp: 1
        case .clientUsedUp: 2
        case .noPortLeft: 4
        case .notPossible: 8
        case .cannotBind: 16
        }
    }
}

extension SourceTrouble: CustomStringConvertible {
    /// The text of a warning.
    public var description: String {
        switch self {
        case .usedUp:
            "127.0.0.1 has no port left for connections to the app; more of them come from 127.0.128.0/17"
        case .clientUsedUp(let client, let address):
            "\(address), which stands for the client \(client), has no port left for connections to the app; "
                + "more of them come from 127.0.128.0/17"
        case .noPortLeft(let address):
            "no port is left for connections to the app at \(address); there would be more if it listened on 127.0.0.1"
        case .notPossible(let address):
            "the app at \(address) does not see clients by addresses of their own: that takes one on 127.0.0.1"
        case .cannotBind(let address, let error):
            "clients have no addresses of their own: \(address) cannot be had (\(error))"
        }
    }
}
