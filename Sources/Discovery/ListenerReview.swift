internal import Glibc
public import Network

/// Remembers the verdict on each loopback-only listener: whether its app is in scope, and what speaks against bridging it.
///
/// Looks at each socket once, and again when its process has executed another program: finding an owner means looking
/// through every process's descriptors. Belongs to one thread.
public final class ListenerReview {
    /// The processes whose listeners are bridged.
    public enum Scope: Sendable {
        /// All processes in this network namespace.
        case everybody
        /// This process's descendants.
        case descendants(of: Int)

        /// This process's descendants.
        public static var ownDescendants: Scope { .descendants(of: Int(getpid())) }
    }

    /// The result of a look at a listener.
    public struct Verdict: Equatable, Sendable {
        /// Whether its app is in scope.
        public let isWanted: Bool
        public let obstacle: BridgePlan.Obstacle?
    }

    private struct Reviewed {
        var verdict: Verdict
        /// The processes that it was judged by, as they were then.
        let images: [Int: [UInt64]]

        var isOutdated: Bool {
            verdict.isWanted
                && images.contains { id, image in
                    ProcessStatus(of: id).map { $0.image != image } ?? false
                }
        }
    }

    private let scope: Scope
    private let kernelChoice: KernelChoice
    private var reviewed: [UInt64: Reviewed] = [:]
    /// The number of looks at a socket that is not decided yet.
    private var undecided: [UInt64: Int] = [:]
    /// The listeners that were asked and have not answered, each with the verdict that holds if it is no inspector.
    private var asked: [UInt64: Reviewed] = [:]

    /// The number of looks after which a socket is judged by what is known.
    private static let patience = 3

    public init(_ scope: Scope, kernelChoice: KernelChoice) {
        self.scope = scope
        self.kernelChoice = kernelChoice
    }

    /// Whether a socket waits for another look.
    public var hasUndecided: Bool { undecided.contains { reviewed[$0.key] == nil && asked[$0.key] == nil } }

    /// Returns the verdict on a listener; nil while it is not decided.
    public func verdict(on endpoint: ListeningEndpoint) -> Verdict? { reviewed[endpoint.inode]?.verdict }

    /// Looks at listeners that are new.
    /// - Parameter endpoints: all listeners at this moment.
    /// - Returns: the listeners that are to be asked (``InspectorQuestion``) before they are decided.
    public func look(at endpoints: [ListeningEndpoint]) -> [ListeningEndpoint] {
        let candidates = endpoints.filter { $0.isLoopbackOnly && !BridgePlan.resolvers.contains($0.address) }
        let inodes = Set(candidates.map(\.inode))
        reviewed = reviewed.filter { inodes.contains($0.key) }
        undecided = undecided.filter { inodes.contains($0.key) }
        asked = asked.filter { inodes.contains($0.key) }
        let new = candidates.filter { candidate in
            asked[candidate.inode] == nil && reviewed[candidate.inode]?.isOutdated ?? true
        }
        guard !new.isEmpty else { return [] }
        let owners = ProcessDescription.owners(ofSockets: Set(new.map(\.inode)))
        let family: Set<Int>? =
            switch scope {
            case .everybody: nil
            case .descendants(let root): ProcessTree.descendants(of: root)
            }
        let suspects = owners.count < Set(new.map(\.inode)).count ? ProcessDetails.withHiddenDescriptors() : []
        var details: [Int: ProcessDetails] = [:]
        return new.filter { endpoint in
            let ids = owners[endpoint.inode].map { $0.map(\.id) }
            for id in ids ?? [] where details[id] == nil { details[id] = ProcessDetails(of: id) }
            return review(
                endpoint, owners: ids?.compactMap { details[$0] }, family: family, suspects: suspects)
        }
    }

    /// Takes the answer of a listener that was asked.
    public func take(answerOf endpoint: ListeningEndpoint, isInspector: Bool) {
        guard var result = asked.removeValue(forKey: endpoint.inode) else { return }
        if isInspector {
            result.verdict = Verdict(isWanted: true, obstacle: .privateService(.inspector, .answer))
        }
        reviewed[endpoint.inode] = result
    }

    /// Decides on a listener, or leaves it for another look.
    /// - Returns: whether it is to be asked.
    private func review(
        _ endpoint: ListeningEndpoint, owners: [ProcessDetails]?, family: Set<Int>?, suspects: [ProcessDetails]
    ) -> Bool {
        let inode = endpoint.inode
        let isKnownToBeOurs = family.map { family in owners?.contains { family.contains($0.id) } ?? false } ?? true
        if owners != nil, !isKnownToBeOurs {
            reviewed[inode] = Reviewed(verdict: Verdict(isWanted: false, obstacle: nil), images: [:])
            return false
        }
        // The owner may be about to hand the socket over.
        if owners == nil, family != nil, isEarly(inode) { return false }
        var obstacle = ListenerJudgement.obstacle(
            at: endpoint.port, owners: owners ?? [], suspects: suspects, kernelChoice: kernelChoice)
        if owners == nil, case .descendants(let root) = scope, root != 1 {
            // As PID 1, this process is the ancestor of every process in the container.
            obstacle = obstacle ?? .hiddenOwner
        }
        let images = (owners ?? []).compactMap { process in ProcessStatus(of: process.id).map { (process.id, $0.image) }
        }
        let result = Reviewed(
            verdict: Verdict(isWanted: true, obstacle: obstacle), images: Dictionary(images) { first, _ in first })
        if obstacle == nil, let process = ListenerJudgement.eldest(of: owners ?? []).first,
            process.command.runtime == .javaScript
        {
            switch process.loop(ofSocketWith: inode) {
            // The process is about to watch the socket, and the event loop in which it does so tells more.
            case .none: if isEarly(inode) { return false }
            case .early: break
            case .later:
                asked[inode] = result
                return true
            }
        }
        reviewed[inode] = result
        return false
    }

    private func isEarly(_ inode: UInt64) -> Bool {
        undecided[inode, default: 0] += 1
        return undecided[inode, default: 0] < Self.patience
    }
}
