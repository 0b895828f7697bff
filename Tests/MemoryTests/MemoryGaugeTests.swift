import EventLoop
import Glibc
import Testing

@testable import Memory

private let mib = 1 << 20
private let start = MonotonicTime.now

private func after(_ seconds: Double) -> MonotonicTime { start.advanced(by: .milliseconds(Int(seconds * 1000))) }

/// 64 MiB, of which 8 must stay free.
private func reading(spare: Int) -> MemoryReading {
    MemoryReading(.cgroup, limit: 64 * mib, used: (64 - 8) * mib - spare)
}

/// A gauge that a test can ask within an expectation.
private final class Gauge {
    private var gauge = MemoryGauge()

    var level: MemoryGauge.Level { gauge.level }

    func note(_ reading: MemoryReading?, at now: MonotonicTime) -> Bool { gauge.note(reading, at: now) }
}

struct MemoryGaugeTests {
    @Test("an eighth of the limit stays free, within bounds")
    func reserve() {
        func reserve(_ limit: Int) -> Int { MemoryReading(.cgroup, limit: limit, used: 0).reserve }
        #expect(reserve(16 * mib) == 4 * mib)
        #expect(reserve(64 * mib) == 8 * mib)
        #expect(reserve(4096 * mib) == 64 * mib)
        #expect(reading(spare: 5).spare == 5)
        #expect(MemoryReading(.data, limit: 10, used: 30).room == -20)
    }

    @Test("what becomes worse is so at once, by however many steps")
    func worse() {
        let gauge = Gauge()
        #expect(!gauge.note(reading(spare: 8 * mib), at: start))
        #expect(gauge.level == .ample)
        #expect(gauge.note(reading(spare: 8 * mib - 1), at: start))
        #expect(gauge.level == .tight)
        #expect(!gauge.note(reading(spare: 2 * mib), at: start))
        #expect(gauge.note(reading(spare: 2 * mib - 1), at: start))
        #expect(gauge.level == .critical)
        let other = Gauge()
        #expect(other.note(reading(spare: -mib), at: start))
        #expect(other.level == .critical)
    }

    @Test("better it becomes by a margin, one step at a time, and not at once")
    func better() {
        let gauge = Gauge()
        _ = gauge.note(reading(spare: 0), at: start)
        #expect(!gauge.note(reading(spare: 40 * mib), at: after(0.9)), "not at once")
        #expect(!gauge.note(reading(spare: 4 * mib - 1), at: after(2)), "not by a hair")
        #expect(gauge.note(reading(spare: 40 * mib), at: after(2.1)))
        #expect(gauge.level == .tight, "one step")
        #expect(!gauge.note(reading(spare: 40 * mib), at: after(3)))
        #expect(!gauge.note(reading(spare: 12 * mib - 1), at: after(4)))
        #expect(gauge.note(reading(spare: 12 * mib), at: after(5)))
        #expect(gauge.level == .ample)
    }

    @Test("worse again comes at once, however short the better time was")
    func relapse() {
        let gauge = Gauge()
        _ = gauge.note(reading(spare: 0), at: start)
        _ = gauge.note(reading(spare: 40 * mib), at: after(1))
        #expect(gauge.level == .tight)
        #expect(gauge.note(reading(spare: 0), at: after(1.01)))
        #expect(gauge.level == .critical)
    }

    @Test("a limit that is taken away ends the shortage")
    func noLimit() {
        let gauge = Gauge()
        _ = gauge.note(reading(spare: 0), at: start)
        #expect(gauge.note(nil, at: after(1)))
        #expect(gauge.note(nil, at: after(2)))
        #expect(gauge.level == .ample)
        #expect(!gauge.note(nil, at: after(3)))
    }

    @Test("use that swings by less than the margin makes no news")
    func swings() {
        let gauge = Gauge()
        var news = 0
        for second in 0..<1000 {
            if gauge.note(reading(spare: second % 2 == 0 ? 2 * mib - 1 : 3 * mib), at: after(Double(second))) {
                news += 1
            }
        }
        #expect(news == 1)
    }
}

struct MemoryWatchTests {
    /// A machine whose memory a test sets.
    final class Machine: Sendable {
        private let state = Guarded<(reading: MemoryReading?, looks: Int, news: [MemoryWatch.State])>((nil, 0, []))

        var reading: MemoryReading? {
            get { state.withLock { $0.reading } }
            set { state.withLock { $0.reading = newValue } }
        }
        var looks: Int { state.withLock { $0.looks } }
        var news: [MemoryWatch.State] { state.withLock { $0.news } }

        func use(_ bytes: Int) { state.withLock { $0.reading?.used += bytes } }

        func watch(workers: Int) -> MemoryWatch {
            MemoryWatch(workers: workers) {
                self.state.withLock { state in
                    state.looks += 1
                    return state.reading
                }
            } onChange: { news in
                self.state.withLock { $0.news.append(news) }
            }
        }
    }

    private func wait(_ duration: Duration) {
        let start = MonotonicTime.coarse
        while MonotonicTime.coarse.since(start) <= duration { usleep(2000) }
    }

    @Test("without a limit everything is given, and one look is enough for all")
    func unlimited() {
        let machine = Machine()
        let allowance = MemoryAllowance(from: machine.watch(workers: 2), worker: 0)
        for _ in 0..<1000 { #expect(allowance.take(1 << 30, for: .newcomer)) }
        #expect(allowance.mayGrow(by: 1 << 40))
        #expect(machine.looks == 1)
        #expect(machine.news == [])
    }

    @Test("what several workers are given in one moment never reaches what must stay free", arguments: [1, 2, 7, 32])
    func sumOfAll(workers: Int) {
        let machine = Machine()
        machine.reading = reading(spare: 40 * mib)
        let watch = machine.watch(workers: workers)
        let given = (0..<workers).reduce(0) { $0 + watch.grant(to: $1).forNewcomers }
        #expect(given > mib)
        #expect(given <= 20 * mib, "\(given >> 20) MiB")
    }

    @Test("a flood of those who get nothing doesn't cost a look each")
    func flood() {
        let machine = Machine()
        machine.reading = reading(spare: 0)
        let allowance = MemoryAllowance(from: machine.watch(workers: 1), worker: 0)
        let start = MonotonicTime.now
        for _ in 0..<10_000 { #expect(!allowance.take(1, for: .newcomer)) }
        let most = 2 + Int(MonotonicTime.now.since(start) / MemoryWatch.shortestPeriod)
        #expect(machine.looks <= most)
    }

    @Test("a burst that shows at once ends before what must stay free, however fast it comes", arguments: [1, 2, 4])
    func burst(workers: Int) {
        let machine = Machine()
        machine.reading = reading(spare: 40 * mib)
        let watch = machine.watch(workers: workers)
        let all = (0..<workers).map { MemoryAllowance(from: watch, worker: $0) }
        var isGoing = true
        while isGoing {
            isGoing = false
            for allowance in all where allowance.take(48 << 10, for: .newcomer) {
                machine.use(48 << 10)
                isGoing = true
            }
            if !isGoing { wait(MemoryWatch.shortestPeriod) }
            for allowance in all where allowance.take(48 << 10, for: .newcomer) {
                machine.use(48 << 10)
                isGoing = true
            }
        }
        let spare = machine.reading!.spare
        #expect(spare >= 0)
        #expect(spare < 20 * mib, "most of it can be used: \(spare >> 10) KiB are left")
    }

    @Test("at the critical level nobody new is let in, while those inside have a part of what stays free")
    func twoPurses() {
        let machine = Machine()
        machine.reading = reading(spare: mib)
        let allowance = MemoryAllowance(from: machine.watch(workers: 1), worker: 0)
        #expect(!allowance.take(1, for: .newcomer))
        #expect(allowance.take(mib, for: .client))
        #expect(machine.news.map(\.level) == [.critical])
        #expect(machine.news.first?.shortages == 1)
    }

    @Test("nobody gets anything of the lower half of what stays free")
    func bottom() {
        let machine = Machine()
        machine.reading = reading(spare: -4 * mib)
        let allowance = MemoryAllowance(from: machine.watch(workers: 1), worker: 0)
        #expect(!allowance.take(1, for: .client))
        #expect(!allowance.mayGrow(by: 1))
        machine.reading = reading(spare: -100 * mib)
        wait(MemoryWatch.shortestPeriod)
        #expect(!allowance.take(1, for: .client))
    }

    @Test("what has grown anyway counts")
    func grew() {
        let machine = Machine()
        machine.reading = reading(spare: 40 * mib)
        let allowance = MemoryAllowance(from: machine.watch(workers: 1), worker: 0)
        #expect(allowance.take(1, for: .client))
        #expect(machine.looks == 1)
        // It shows, and half of what is left is for the next.
        machine.use(21 * mib)
        allowance.grew(by: 21 * mib)
        #expect(allowance.take(2 * mib, for: .client))
        #expect(machine.looks == 2, "the grant was used up")
        #expect(!allowance.take(12 * mib, for: .client))
    }

    @Test("what is given holds for a second, and what is freed shows with the next look")
    func period() {
        let machine = Machine()
        machine.reading = reading(spare: 0)
        let allowance = MemoryAllowance(from: machine.watch(workers: 1), worker: 0)
        #expect(!allowance.take(1, for: .newcomer))
        machine.reading = reading(spare: 40 * mib)
        wait(MemoryGauge.shortestStay)
        #expect(allowance.take(1, for: .newcomer))
        #expect(machine.news.map(\.level) == [.critical, .tight])
        #expect(machine.looks == 2)
    }
}
