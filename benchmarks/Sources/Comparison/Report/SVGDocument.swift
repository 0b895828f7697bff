/// An SVG picture that is written from top to bottom.
struct SVGDocument {
    private var body = ""
    let width: Double
    let height: Double

    /// - Parameter description: what the picture shows, for those who cannot see it.
    init(width: Double, height: Double, title: String, description: String) {
        self.width = width
        self.height = height
        body =
            "<title>\(SVGDocument.escaped(title))</title>\n<desc>\(SVGDocument.escaped(description))</desc>\n"
    }

    mutating func rectangle(
        x: Double, y: Double, width: Double, height: Double, radius: Double = 0, className: String
    ) {
        let rounded = radius > 0 ? " rx=\"\(SVGDocument.number(radius))\"" : ""
        body += "<rect x=\"\(SVGDocument.number(x))\" y=\"\(SVGDocument.number(y))\" "
        body += "width=\"\(SVGDocument.number(width))\" height=\"\(SVGDocument.number(height))\"\(rounded) "
        body += "class=\"\(className)\"/>\n"
    }

    mutating func line(x1: Double, y1: Double, x2: Double, y2: Double, className: String) {
        body += "<line x1=\"\(SVGDocument.number(x1))\" y1=\"\(SVGDocument.number(y1))\" "
        body += "x2=\"\(SVGDocument.number(x2))\" y2=\"\(SVGDocument.number(y2))\" class=\"\(className)\"/>\n"
    }

    /// Text whose baseline is at `y`. Several classes are separated by blanks.
    mutating func text(_ text: String, x: Double, y: Double, className: String) {
        body += "<text x=\"\(SVGDocument.number(x))\" y=\"\(SVGDocument.number(y))\" class=\"\(className)\">"
        body += SVGDocument.escaped(text) + "</text>\n"
    }

    /// The whole file.
    /// - Parameter style: CSS for the classes.
    func file(style: String) -> String {
        let size = "\(SVGDocument.number(width)) \(SVGDocument.number(height))"
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(size)" width="\(SVGDocument.number(width))" \
            height="\(SVGDocument.number(height))" role="img">
            <style>
            \(style)
            </style>
            \(body)</svg>

            """
    }

    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }

    /// To the tenth, and without what says nothing.
    static func number(_ value: Double) -> String {
        let text = Metric.fixed(value, 1)
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
