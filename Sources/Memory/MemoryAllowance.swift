internal import EventLoop

/// One worker's part of the memory that is left: the worker asks before it lets somebody in, and before a client makes it grow.
///
/// Asking costs a comparison, and a look at the kernel's files once a second and whenever the allowance is used up.
/// What is given back shows with the next look. Belongs to its worker's thread.
public final class MemoryAllowance {
    /// The clients for whom memory is taken.
    public enum Purpose: Sendable {
        /// Somebody who may as well come later.
        case newcomer
        /// Somebody who was let in: a part of what must stay free is for these.
        case client
    }

    private let watch: MemoryWatch
    private let worker: Int
    private var grant: MemoryWatch.Grant?
    private var lookedAt = MonotonicTime.coarse
    /// The last look has brought too little for whoever asked.
    private var lookedInVain = false

    /// - Parameter worker: the worker's number, of those that the watch gives out to.
    public init(from watch: MemoryWatch, worker: Int) {
        self.watch = watch
        self.worker = worker
    }

    /// Whether so much may be used; takes note that it is, if so.
    /// - Parameter bytes: what is about to be allocated, in our memory and in the kernel's.
    public func take(_ bytes: Int, for purpose: Purpose) -> Bool {
        let now = MonotonicTime.coarse
        if grant.map({ now.since(lookedAt) >= $0.period }) ?? true {
            look(at: now)
            lookedInVain = !has(bytes, for: purpose)
        }
        guard has(bytes, for: purpose) || hasAfterLook(bytes, for: purpose, at: now) else { return false }
        note(bytes)
        return true
    }

    /// Whether what the kernel holds for sockets counts against the limit, as far as the last look has shown.
    public var includesSockets: Bool { grant?.includesSockets == true }

    /// Has the next one who asks look, as what was given out may be too much by now.
    public func forgetGrant() {
        grant = nil
        lookedInVain = false
    }

    /// Whether a client may make us grow so much, without taking note of it. Does not ask the clock unless there is too little.
    public func mayGrow(by bytes: Int) -> Bool {
        if has(bytes, for: .client) { return true }
        return hasAfterLook(bytes, for: .client, at: .coarse)
    }

    /// Takes note that so much was allocated, for a client that was let in.
    public func grew(by bytes: Int) {
        if !take(bytes, for: .client) { note(bytes) }
    }

    private func note(_ bytes: Int) {
        grant?.forNewcomers -= bytes
        grant?.forClients -= bytes
    }

    private func has(_ bytes: Int, for purpose: Purpose) -> Bool {
        guard let grant else { return false }
        return switch purpose {
        case .newcomer: grant.forNewcomers >= bytes
        case .client: grant.forClients >= bytes
        }
    }

    private func hasAfterLook(_ bytes: Int, for purpose: Purpose, at now: MonotonicTime) -> Bool {
        // A flood of those who get nothing is not to cost a look each.
        guard !lookedInVain || now.since(lookedAt) >= MemoryWatch.shortestPeriod else { return false }
        look(at: now)
        lookedInVain = !has(bytes, for: purpose)
        return !lookedInVain
    }

    private func look(at now: MonotonicTime) {
        lookedAt = now
        lookedInVain = false
        grant = watch.grant(to: worker)
    }
}
