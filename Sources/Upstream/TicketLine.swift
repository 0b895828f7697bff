/// Those who wait, in the order of their tickets; each may leave from wherever it stands.
///
/// Leaving from the middle leaves a gap, which goes when its turn comes, or when there are more gaps than
/// waiting; so every change takes constant time on average, but for a binary search.
struct TicketLine<Payload> {
    private var entries: [(ticket: UInt64, payload: Payload?)] = []
    /// The beginning of the line: what stands before it has been served.
    private var head = 0
    /// The number of those who wait.
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// The one who waits longest.
    var first: (ticket: UInt64, payload: Payload)? {
        guard head < entries.count, let payload = entries[head].payload else { return nil }
        return (entries[head].ticket, payload)
    }

    /// - Parameter ticket: greater than all before.
    mutating func append(_ ticket: UInt64, _ payload: Payload) {
        assert(entries.last.map { $0.ticket < ticket } ?? true)
        entries.append((ticket, payload))
        count += 1
    }

    mutating func popFirst() -> (ticket: UInt64, payload: Payload)? {
        guard let first else { return nil }
        entries[head].payload = nil
        count -= 1
        tidy()
        return first
    }

    /// - Returns: nil where the ticket has been served or withdrawn already.
    mutating func remove(_ ticket: UInt64) -> Payload? {
        var (low, high) = (head, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].ticket < ticket { low = middle + 1 } else { high = middle }
        }
        guard low < entries.count, entries[low].ticket == ticket, let payload = entries[low].payload else { return nil }
        entries[low].payload = nil
        count -= 1
        tidy()
        return payload
    }

    /// Has the line begin with somebody who waits, and keeps the gaps fewer than those who do.
    private mutating func tidy() {
        while head < entries.count, entries[head].payload == nil { head += 1 }
        guard entries.count > 2 * count + 16 else { return }
        entries.removeAll { $0.payload == nil }
        head = 0
    }
}
