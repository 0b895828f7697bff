import EventLoop
import Network

@testable import Relay

/// A peer, the kernel with its edges, a layer, and a reader, in such small numbers that every state of all of them together
/// can be visited. The layer and the reader remember by ``LayerReadiness`` and ``SourceReadiness``, as the real ones do.
struct World: Hashable {
    /// In units of the stream, of which two make a record.
    static let record = 2

    /// The way from the client's connection to the relay.
    enum Phase: Hashable {
        /// A PROXY header comes first, and is looked at in the kernel.
        case header
        case handshaking
        /// The client waits for the app. Its end is looked for where `isInLine`.
        case waiting(isInLine: Bool)
        /// The app is not called before the client's first byte (`connect: first_byte`).
        case silent
        case relaying
        /// The reader has come to the end.
        case ended
        /// The client left before.
        case over
    }

    /// How the layer's stream has ended.
    enum LayerEnd: Hashable {
        case none
        case proper
        case cutOff
    }

    let isLayered: Bool
    /// Of an end that was told, a short read is the last word.
    let isApps: Bool
    let waits: Phase
    /// Where TCP's urgent mark is, in units of the whole stream.
    let mark: Int?
    var phase: Phase

    // The peer and the kernel
    var unsent: Int
    var arrived = 0
    var taken = 0
    var hasPassedMark = false
    var hasFinished = false
    var edge = false

    // The layer
    var isOpen = false
    var records: Int
    var held = 0
    var partial = 0
    var words = 0
    var layerEnd = LayerEnd.none
    var readiness = LayerReadiness()

    // The reader
    var unused = UInt16(0)
    var source = SourceReadiness()
    var isSinkFull = false

    init(
        layered isLayered: Bool, records: Int, header hasHeader: Bool = false, waits: Phase, mark: Int? = nil,
        apps isApps: Bool = false
    ) {
        self.isLayered = isLayered
        self.isApps = isApps
        self.waits = waits
        self.mark = mark
        self.records = records
        // A handshake before them, and an end behind.
        unsent = Self.record * (records + (isLayered ? 2 : 0) + (hasHeader ? 1 : 0))
        phase = hasHeader ? .header : isLayered ? .handshaking : waits
    }

    var isOver: Bool { phase == .over || phase == .ended }

    /// What nobody will ever read: there is something, no edge is to come, and nobody remembers.
    var isForgotten: Bool {
        if edge, phase != .ended { return false }
        let kernelHas = arrived > 0 || hasFinished
        let layerHas = held > 0 || words > 0 || layerEnd != .none
        return switch phase {
        // What is missing of a header will be told of.
        case .header: arrived >= Self.record || hasFinished
        case .handshaking: kernelHas || layerHas
        case .waiting: (kernelHas || layerHas) && unused == 0
        // One record suffices for calling the app.
        case .silent: kernelHas || words > 0 || layerEnd != .none
        case .relaying: (kernelHas || layerHas) && !source.mayReceive
        case .ended: arrived > 0 || held > 0 || words > 0
        case .over: false
        }
    }
}

/// What can happen in a ``World``, and what comes of it.
final class ReadinessModel {
    /// What is to be wrong, so that a search can be seen to find it.
    enum Fault: CaseIterable {
        /// The layer does not hear of what the kernel tells.
        case deafLayer
        /// The layer says that it has kept nothing.
        case forgetfulLayer
        /// A short read is taken for the kernel's last word, whatever the layer knows.
        case trustingReader
        /// What was told before the relay began is not handed on.
        case lostHandOver
        /// The urgent mark is not told of.
        case noMark
    }

    struct Transition: Hashable {
        let state: LayerReadiness.State
        let event: LayerReadiness.Event
    }

    let fault: Fault?
    private(set) var transitions: Set<Transition> = []

    init(_ fault: Fault? = nil) { self.fault = fault }

    /// What may happen next, with what the world is then.
    func successors(of world: World) -> [(String, World)] {
        guard !world.isOver else { return [] }
        var result: [(String, World)] = []
        func may(_ what: String, _ change: (inout World) -> Void) {
            var next = world
            change(&next)
            result.append((what, next))
        }
        for count in Set([1, 2, 3, world.unsent]).sorted() where count > 0 && count <= world.unsent {
            may("a segment of \(count)") {
                $0.unsent -= count
                $0.arrived += count
                $0.edge = true
            }
        }
        if !world.hasFinished {
            may("the peer ends") {
                $0.hasFinished = true
                $0.unsent = 0
                $0.edge = true
            }
        }
        if world.edge { may("the edge is told") { tell(&$0) } }
        if case .waiting = world.phase { may("the app is ready") { beginRelay(&$0) } }
        if world.phase == .relaying {
            may("the sink is \(world.isSinkFull ? "empty" : "full")") { $0.isSinkFull.toggle() }
            if world.source.mayReceive, !world.isSinkFull {
                for limit in [1, 3, 16] { may("a read of \(limit)") { read(&$0, upTo: limit) } }
                for taken in [1, 16] { may("a look that takes \(taken)") { lookAndTake(&$0, upTo: taken) } }
            }
        }
        return result
    }

    // MARK: The kernel

    private enum Received {
        case moved(Int)
        case wouldBlock
        case end
    }

    /// recv(2), which ends at the urgent mark.
    private func receive(_ world: inout World, upTo limit: Int, peek: Bool = false) -> Received {
        var count = min(limit, world.arrived)
        if let mark = world.mark, !world.hasPassedMark {
            if world.taken < mark {
                count = min(count, mark - world.taken)
            } else if count > 0, !peek {
                world.hasPassedMark = true
            }
        }
        guard count > 0 else { return world.hasFinished ? .end : .wouldBlock }
        if !peek {
            world.arrived -= count
            world.taken += count
        }
        return .moved(count)
    }

    private func tell(_ world: inout World) {
        world.edge = false
        var readiness: IOEvent.Readiness = []
        if world.arrived > 0 { readiness.insert(.readable) }
        if world.hasFinished { readiness.formUnion([.readable, .endOfStream]) }
        if let mark = world.mark, !world.hasPassedMark, world.taken + world.arrived > mark, fault != .noMark {
            // It takes the end's place.
            readiness = [.readable, .urgent]
        }
        guard !readiness.isEmpty else { return }
        if world.isLayered, fault != .deafLayer { note(.kernelTold, &world) }
        become(ready: readiness, &world)
    }

    // MARK: Who is told

    private func become(ready readiness: IOEvent.Readiness, _ world: inout World) {
        switch world.phase {
        case .header:
            world.unused |= UInt16(readiness.rawValue)
            readHeader(&world)
        case .handshaking:
            world.unused |= UInt16(readiness.intersection([.endOfStream, .urgent]).rawValue)
            shakeHands(&world)
            if world.phase == .handshaking, world.unused != 0 { shakeHands(&world) }
        case .waiting(let isInLine):
            world.unused |= UInt16(readiness.rawValue)
            if isInLine, readiness.contains(.endOfStream), case .end = look(&world, upTo: 1) { world.phase = .over }
        case .silent:
            world.unused |= UInt16(readiness.rawValue)
            hearFirstByte(&world)
        case .relaying: world.source = world.source.told(readiness)
        case .ended, .over: break
        }
    }

    private func readHeader(_ world: inout World) {
        guard world.arrived >= World.record else {
            if world.hasFinished { world.phase = .over }
            return
        }
        let all = receive(&world, upTo: 100, peek: true)
        _ = receive(&world, upTo: World.record)
        if case .moved(World.record) = all, world.unused & UInt16(IOEvent.Readiness.urgent.rawValue) == 0 {
            world.unused &= ~UInt16(IOEvent.Readiness.readable.rawValue)
        }
        world.phase = world.isLayered ? .handshaking : world.waits
        let told = IOEvent.Readiness(rawValue: Int16(world.unused))
        if world.isLayered {
            world.unused = 0
            if !told.isEmpty { become(ready: told, &world) }
        } else if world.phase == .silent, world.unused != 0 {
            hearFirstByte(&world)
        }
    }

    private func hearFirstByte(_ world: inout World) {
        guard world.isLayered || world.unused & UInt16(IOEvent.Readiness.endOfStream.rawValue) != 0 else {
            world.phase = .waiting(isInLine: false)
            return
        }
        switch look(&world, upTo: 1) {
        case .moved: world.phase = .waiting(isInLine: false)
        case .wouldBlock: break
        case .end: world.phase = .over
        }
    }

    private func beginRelay(_ world: inout World) {
        world.phase = .relaying
        if fault != .lostHandOver { world.source = world.source.told(IOEvent.Readiness(rawValue: Int16(world.unused))) }
    }

    // MARK: The reader

    private func read(_ world: inout World, upTo limit: Int) {
        switch world.isLayered ? decrypt(&world, upTo: limit) : receive(&world, upTo: limit) {
        case .moved(let count): noteRead(&world, count, of: limit)
        case .wouldBlock: world.source = world.source.afterVainRead()
        case .end: world.phase = .ended
        }
    }

    private func noteRead(_ world: inout World, _ count: Int, of limit: Int) {
        let mayHaveMore = world.isLayered && world.readiness.mayHaveMore && fault != .trustingReader
        guard count < limit, !mayHaveMore else { return }
        world.source = world.source.afterShortRead(isLastBeforeEnd: world.isApps && !world.isLayered)
        if world.source.announcedEnd == .reached { world.phase = .ended }
    }

    /// The sink takes less than was seen, and the rest stays where it is.
    private func lookAndTake(_ world: inout World, upTo most: Int) {
        switch look(&world, upTo: 16) {
        case .moved(let seen):
            _ = world.isLayered ? decrypt(&world, upTo: min(seen, most)) : receive(&world, upTo: min(seen, most))
            if seen > most { world.isSinkFull = true } else { noteRead(&world, seen, of: 16) }
        case .wouldBlock: world.source = world.source.afterVainRead()
        case .end: world.phase = .ended
        }
    }

    // MARK: The layer

    private func note(_ event: LayerReadiness.Event, _ world: inout World) {
        transitions.insert(Transition(state: world.readiness.state, event: event))
        world.readiness.note(event)
    }

    private func noteReceived(_ result: Received, askedFor asked: Int, _ world: inout World) {
        switch result {
        case .moved(let count): note(count < asked ? .receivedLess : .receivedAll, &world)
        case .wouldBlock: note(.receivedLess, &world)
        case .end:
            note(.receivedAll, &world)
            world.layerEnd = .cutOff
        }
    }

    /// Takes one more unit for the record that is under way.
    private func feed(_ world: inout World) {
        world.partial += 1
        guard world.partial == World.record else { return }
        world.partial = 0
        if !world.isOpen {
            world.isOpen = true
        } else if world.records > 0 {
            world.records -= 1
            world.words += World.record
        } else {
            world.layerEnd = .proper
        }
    }

    private func noteWhatIsLeft(_ world: inout World) {
        if world.layerEnd != .none {
            world.held = 0
            note(.ended, &world)
        } else {
            let isKept = world.held > 0 || world.words > 0
            note(isKept && fault != .forgetfulLayer ? .kept : .keptNothing, &world)
        }
    }

    private func shakeHands(_ world: inout World) {
        while true {
            let result = receive(&world, upTo: 64)
            noteReceived(result, askedFor: 64, &world)
            switch result {
            case .moved(let count):
                var input = count
                while input > 0, !world.isOpen {
                    input -= 1
                    feed(&world)
                }
                world.held = input
            case .wouldBlock: return
            case .end:
                world.phase = .over
                return
            }
            if world.isOpen { break }
            if !world.readiness.kernelMayHaveMore { return }
        }
        noteWhatIsLeft(&world)
        if world.readiness.mayHaveMore || world.unused & UInt16(IOEvent.Readiness.urgent.rawValue) != 0 {
            world.unused |= UInt16(IOEvent.Readiness.readable.rawValue)
        }
        world.phase = world.waits
        if world.phase == .silent, world.unused != 0 { hearFirstByte(&world) }
    }

    /// As `TLSChannel.decrypt` does.
    private func decrypt(_ world: inout World, upTo limit: Int) -> Received {
        var filled = 0
        while true {
            while filled < limit, world.held > 0 || world.words > 0, world.layerEnd == .none || world.words > 0 {
                let count = min(world.words, limit - filled)
                world.words -= count
                filled += count
                if count == 0 {
                    world.held -= 1
                    feed(&world)
                }
            }
            if filled > 0 || world.layerEnd != .none { break }
            let result = receive(&world, upTo: limit)
            noteReceived(result, askedFor: limit, &world)
            guard case .moved(let count) = result else { break }
            world.held = count
        }
        noteWhatIsLeft(&world)
        return filled > 0 ? .moved(filled) : world.layerEnd == .none ? .wouldBlock : .end
    }

    /// As `TLSChannel.look` does: a record's head is asked for, and then the rest of it.
    private func look(_ world: inout World, upTo limit: Int) -> Received {
        guard world.isLayered else { return receive(&world, upTo: limit, peek: true) }
        while world.words == 0, world.layerEnd == .none {
            if world.held > 0 {
                world.held -= 1
            } else {
                let result = receive(&world, upTo: 1)
                noteReceived(result, askedFor: 1, &world)
                guard case .moved = result else { break }
            }
            feed(&world)
        }
        noteWhatIsLeft(&world)
        if world.words > 0 { return .moved(min(limit, world.words)) }
        return world.layerEnd == .none ? .wouldBlock : .end
    }
}
