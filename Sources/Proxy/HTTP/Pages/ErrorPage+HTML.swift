extension ErrorPage {
    /// A page that needs nothing from elsewhere, for light and dark screens.
    var html: [UInt8] {
        let seconds = refreshesItself && status >= 500 ? retrySeconds : nil
        let refresh = seconds.map { "<meta http-equiv=\"refresh\" content=\"\($0)\">\n" } ?? ""
        let again =
            seconds.map { seconds in
                let interval = seconds == 1 ? "every second" : "every \(seconds) seconds"
                return "<p>This page tries again \(interval). <a href=\"\">Try again now</a></p>\n"
            } ?? ""
        return Array(
            """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            \(refresh)<link rel="icon" href="data:,">
            <title>\(status) \(reason)</title>
            <style>
            \(Self.style)
            </style>
            </head>
            <body>
            <main>
            <p class="status">\(status) \(reason)</p>
            <h1>\(Self.escaped(explanation))</h1>
            \(again)</main>
            <footer>loopbridge</footer>
            </body>
            </html>

            """.utf8)
    }

    /// The dimmest text has a contrast of more than 7 to 1 on its ground in both (WCAG 2.2, 1.4.6).
    private static let style = """
        :root { color-scheme: light dark; --ground: #fff; --text: #1b1f24; --dim: #4a525c; --link: #0b4fa8; }
        @media (prefers-color-scheme: dark) {
          :root { --ground: #14171a; --text: #eceff2; --dim: #b4bcc6; --link: #9cc8ff; }
        }
        body { margin: 0; min-height: 100vh; display: flex; flex-direction: column; justify-content: center;
          background: var(--ground); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
        main, footer { box-sizing: border-box; width: 100%; max-width: 44rem; margin: 0 auto; padding: 0 1.5rem; }
        h1 { margin: 0 0 1rem; font-size: 1.5rem; line-height: 1.3; font-weight: 600; overflow-wrap: anywhere; }
        .status, footer { margin-top: 0; color: var(--dim); }
        a { color: var(--link); }
        """

    /// Text between tags. Control characters, which HTML does not allow, become U+FFFD.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case _ where scalar.value < 0x20 || 0x7F...0x9F ~= scalar.value: result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
