internal import EventLoop
internal import Glibc
internal import Network

/// From which addresses one worker's connections to one route's app come.
///
/// As a rule the kernel chooses: 127.0.0.1, with a port of the ephemeral range, of which there are some 28,000. When
/// they are used up, connections come from spare addresses of loopback for a while. With ``Policy/perClient`` every
/// client has an address of its own (``LoopbackBlock/address(standingFor:)``), with the same spares behind it. ::1 is
/// the only one of its kind: connections to it always come from the kernel's choice. Belongs to its loop's thread.
public final class LoopbackSources {
    /// The choice of sources while ports last.
    public enum Policy: Sendable {
        case kernelsChoice
        case perClient
    }

    /// The source of a connection.
    enum Source: Equatable {
        case kernelsChoice
        /// The address that stands for the client.
        case client(IPAddress)
        /// - left: how many other spares may be tried in its stead.
        case spare(IPAddress, left: Int)

        /// The address to bind the socket to; nil for none.
        var address: IPAddress? {
            switch self {
            case .kernelsChoice: nil
            case .client(let address), .spare(let address, _): address
            }
        }
    }

    /// Called with what is worth a warning, once for the whole route.
    public var onTrouble: ((SourceTrouble) -> Void)?

    /// Whether connections come from other addresses than the kernel's choice, so that it is worth asking for a
    /// connection's.
    public private(set) var areWorthNaming: Bool

    private let policy: Policy
    private let troubles: SourceTrouble.Register
    /// The source that had no port left when it was last used, and when that was.
    private var usedUp: (source: Source, since: MonotonicTime)?
    /// The spare in use. Each worker begins somewhere else, so that they get in each other's way less.
    private var spare = Int.random(in: 0..<LoopbackBlock.spareCount)
    /// The system lets no client have an address of its own.
    private var cannotBind = false

    /// The time for which a source that was found used up is not tried again: looking through all ports takes the kernel
    /// milliseconds.
    private let restPeriod: Duration
    private static let mostSpares = 16

    /// - Parameters:
    ///   - troubles: shared by all workers of the route.
    ///   - restPeriod: for how long a source that was found used up is not tried again.
    public init(
        _ policy: Policy = .kernelsChoice, troubles: SourceTrouble.Register = SourceTrouble.Register(),
        restPeriod: Duration = .seconds(10)
    ) {
        self.policy = policy
        self.troubles = troubles
        self.restPeriod = restPeriod
        areWorthNaming = policy == .perClient
    }

    /// Chooses the source for a connection to the app at `address`.
    func source(for client: IPAddress?, to address: SocketAddress) -> Source {
        let source = usualSource(for: client, to: address)
        guard let usedUp, usedUp.source == source, address.isOnLoopbackV4 else { return source }
        guard MonotonicTime.coarse.since(usedUp.since) < restPeriod else {
            self.usedUp = nil
            return source
        }
        return nextSpare(left: Self.mostSpares)
    }

    /// Chooses another source after one was not to be had.
    /// - Parameter error: what bind(2) or connect(2) said.
    /// - Returns: nil where there is no other.
    func replacement(
        of source: Source, after error: SystemError, for client: IPAddress?, to address: SocketAddress
    ) -> Source? {
        guard address.isOnLoopbackV4 else { return nil }
        switch source {
        case .client(let address) where error.call == "bind":
            cannotBind = true
            areWorthNaming = false
            tell(.cannotBind(address, error))
            return .kernelsChoice
        case _ where error.call == "bind" || error.code != EADDRNOTAVAIL:
            return nil
        case .kernelsChoice:
            tell(.usedUp)
        case .client(let address):
            if let client { tell(.clientUsedUp(client, address)) }
        case .spare(_, let left):
            guard left > 0 else { return nil }
            spare += 1
            return nextSpare(left: left - 1)
        }
        usedUp = (source, .coarse)
        areWorthNaming = true
        return nextSpare(left: Self.mostSpares)
    }

    /// Connections to an address that has no neighbours have no port left.
    func isOutOfPorts(to address: SocketAddress) {
        tell(.noPortLeft(address))
    }

    private func usualSource(for client: IPAddress?, to address: SocketAddress) -> Source {
        guard policy == .perClient, !cannotBind, let client else { return .kernelsChoice }
        guard address.isOnLoopbackV4 else { return .kernelsChoice }
        return .client(LoopbackBlock.address(standingFor: client))
    }

    private func nextSpare(left: Int) -> Source {
        .spare(LoopbackBlock.spare(spare), left: left)
    }

    /// A connection was made. Where clients should have addresses of their own and this one has not, that is told.
    func connected(to address: SocketAddress) {
        if policy == .perClient, !address.isOnLoopbackV4 { tell(.notPossible(address)) }
    }

    private func tell(_ trouble: SourceTrouble) {
        if troubles.isNew(trouble) { onTrouble?(trouble) }
    }
}
