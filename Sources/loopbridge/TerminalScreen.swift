import EventLoop
import Glibc

/// The terminal's screen, borrowed: what was on it and how its keys worked comes back when it is given back.
final class TerminalScreen {
    private var saved: termios?
    private var isBorrowed = false

    private static let enter = "\u{1B}[?1049h\u{1B}[?25l"
    private static let leave = "\u{1B}[?25h\u{1B}[?1049l"

    /// Whether standard output is a terminal that can place its cursor.
    static var isThere: Bool {
        isatty(1) == 1 && ProcessStart.environment["TERM"].map { $0 != "dumb" && !$0.isEmpty } ?? false
    }

    /// Whether colours are welcome (no-color.org).
    static var hasColours: Bool { ProcessStart.environment["NO_COLOR"].map(\.isEmpty) ?? true }

    /// Whether keys can be read.
    static var hasKeys: Bool { isatty(0) == 1 }

    /// Columns and lines; what a terminal had that does not say.
    static var size: (width: Int, height: Int) {
        var window = winsize()
        guard ioctl(1, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0, window.ws_row > 0 else { return (80, 24) }
        return (Int(window.ws_col), Int(window.ws_row))
    }

    deinit {
        giveBack()
    }

    /// Takes the screen, and has keys read one by one and not shown; those that send signals still do.
    func borrow() {
        guard !isBorrowed else { return }
        isBorrowed = true
        if Self.hasKeys {
            var settings = termios()
            if tcgetattr(0, &settings) == 0 {
                saved = settings
                settings.c_lflag &= ~tcflag_t(ICANON | ECHO)
                tcsetattr(0, TCSADRAIN, &settings)
            }
        }
        _ = write(Self.enter)
    }

    /// Gives it back as it was.
    func giveBack() {
        guard isBorrowed else { return }
        isBorrowed = false
        _ = write(Self.leave)
        if var saved { tcsetattr(0, TCSADRAIN, &saved) }
    }

    /// Draws all lines in one go, over those that were there.
    /// - Returns: false where the terminal is gone.
    func show(_ lines: [String]) -> Bool {
        let endOfLine = "\u{1B}[K"
        // No newline behind the last one: it would scroll a screen that is full.
        return write("\u{1B}[H" + lines.map { $0 + endOfLine }.joined(separator: "\r\n") + "\u{1B}[J")
    }

    private func write(_ text: String) -> Bool {
        do throws(SystemError) {
            try Descriptor(duplicating: 1).write(Array(text.utf8))
            return true
        } catch {
            return false
        }
    }
}
