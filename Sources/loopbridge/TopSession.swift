import EventLoop
import Glibc
import Network
import Observability

/// The life of `top`: it asks, shows, and waits for keys, until somebody or something ends it.
final class TopSession {
    enum End {
        case done
        case nobodyAnswered
    }

    private let addresses: [SocketAddress]
    private let interval: Duration
    private let timeout: Duration
    /// The number of looks that are left; nil for no end.
    private var looksLeft: Int?
    /// Nil where the output is no terminal.
    private let screen: TerminalScreen?
    private let loop: EventLoop

    private var fetch: HTTPFetch?
    private var timer: Timer?
    private var keys: IOEvent?
    private var signals: [SignalEvent] = []

    private var report: StatusReport?
    private var earlier: StatusReport?
    private var offset = 0
    /// Since when nobody has answered, and why not.
    private var trouble: (since: Timestamp, silence: NobodyAnswers)?
    private var end = End.done

    /// - Parameters:
    ///   - addresses: where to ask; the next one where one does not answer.
    ///   - count: how many looks to take; nil for no end.
    ///   - screen: nil to print plain tables.
    init(
        _ addresses: [SocketAddress], interval: Duration, timeout: Duration, count: Int?, screen: TerminalScreen?
    ) throws {
        self.addresses = addresses
        self.interval = interval
        self.timeout = timeout
        looksLeft = count
        self.screen = screen
        loop = try EventLoop()
    }

    /// Blocks until it is over.
    func run() throws -> End {
        signal(SIGPIPE, SIG_IGN)
        // All are called by our loop, which runs only while run() does.
        timer = try Timer(on: loop) { [unowned self] in look() }
        if let screen {
            signals = try [SIGINT, SIGTERM, SIGHUP, SIGQUIT].map { number throws(SystemError) in
                try SignalEvent(number, on: loop) { [unowned self] in loop.stop() }
            }
            signals.append(try SignalEvent(SIGWINCH, on: loop) { [unowned self] in draw() })
            signals.append(try SignalEvent(SIGTSTP, on: loop) { [unowned self] in pause(screen) })
            if TerminalScreen.hasKeys {
                keys = try IOEvent(0, on: loop, for: .readable, trigger: .level) { [unowned self] _ in readKeys() }
            }
            screen.borrow()
        }
        look()
        loop.run()
        screen?.giveBack()
        return end
    }

    // MARK: Looking

    private func look() {
        let start = MonotonicTime.now
        ask(addresses[...], start: start, NobodyAnswers(reasons: [], inShort: ""))
    }

    private func ask(_ candidates: ArraySlice<SocketAddress>, start: MonotonicTime, _ silence: NobodyAnswers) {
        guard let address = candidates.first else { return looked(.failure(silence), start) }
        fetch = HTTPFetch("/status.json", from: address, limit: timeout, on: loop) { [unowned self] result in
            let failure: NobodyAnswers
            switch result {
            case .success(let answer) where answer.status == 200:
                if let report = try? JSONText.decode(StatusReport.self, from: answer.body) {
                    return looked(.success(report), start)
                }
                failure = NobodyAnswers(
                    reasons: ["what \(address) answers is no status report"], inShort: "no status report")
            case .success(let answer):
                let words = "\(answer.status)" + (answer.text.split(separator: "\n").first.map { ": \($0)" } ?? "")
                failure = NobodyAnswers(reasons: ["\(address) answers \(words)"], inShort: words)
            case .failure(let reason):
                failure = NobodyAnswers(
                    reasons: silence.reasons + ["no answer from \(address): \(reason)"], inShort: "\(reason)")
                return ask(candidates.dropFirst(), start: start, failure)
            }
            looked(.failure(failure), start)
        }
    }

    private func looked(_ result: Result<StatusReport, NobodyAnswers>, _ start: MonotonicTime) {
        switch result {
        case .success(let report):
            earlier = self.report
            self.report = report
            trouble = nil
        case .failure(let nobody):
            trouble = (trouble?.since ?? .now, nobody)
        }
        end = trouble == nil ? .done : .nobodyAnswered
        screen == nil ? printPlainly() : draw()
        if let left = looksLeft {
            looksLeft = left - 1
            if left <= 1 { return loop.stop() }
        }
        timer?.schedule(after: max(interval - MonotonicTime.now.since(start), .zero))
    }

    // MARK: Showing

    private func printPlainly() {
        if let trouble {
            for reason in trouble.silence.reasons { StandardError.write("loopbridge: \(reason)") }
        } else if let report {
            let lines = StatusTable(report, earlier: earlier).lines(StatusTable.Layout(width: 120))
            let text = lines.map { "\($0)\n" }.joined() + (looksLeft == 1 ? "" : "\n")
            // A reader that has gone away has seen enough.
            if (try? Descriptor(duplicating: 1).write(Array(text.utf8))) == nil { loop.stop() }
        }
    }

    private var layout: StatusTable.Layout {
        let size = TerminalScreen.size
        return StatusTable.Layout(
            width: size.width, height: size.height, offset: offset, hasEmphasis: true,
            hasColours: TerminalScreen.hasColours)
    }

    private func draw() {
        guard let screen else { return }
        var lines: [String]
        if let report {
            let words = trouble.map { "no answer since \($0.since): \($0.silence.inShort)" }
            lines = StatusTable(report, earlier: earlier, trouble: words).lines(layout)
        } else if let trouble {
            lines = trouble.silence.reasons.map { "loopbridge: \($0)" } + ["Still asking; q ends it."]
            lines = lines.prefix(layout.height ?? 1).map { String($0.prefix(layout.width)) }
        } else {
            return
        }
        if !screen.show(lines) { loop.stop() }
    }

    // MARK: The person

    private func readKeys() {
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = read(0, &bytes, bytes.count)
        // The terminal is gone.
        guard count > 0 else { return loop.stop() }
        for key in TerminalKey.keys(in: Array(bytes[..<count])) {
            if key == .quit { return loop.stop() }
            scroll(key)
        }
        draw()
    }

    private func scroll(_ key: TerminalKey) {
        guard let report else { return }
        let most = StatusTable(report).mostOffset(layout)
        let page = max(1, report.routes.count - most)
        switch key {
        case .up: offset -= 1
        case .down: offset += 1
        case .pageUp: offset -= page
        case .pageDown: offset += page
        case .top: offset = 0
        case .bottom: offset = most
        case .quit: break
        }
        offset = min(max(offset, 0), most)
    }

    /// Ctrl-Z: the shell gets its terminal as it was, and we get it back when we go on.
    private func pause(_ screen: TerminalScreen) {
        screen.giveBack()
        raise(SIGSTOP)
        screen.borrow()
        draw()
    }
}
