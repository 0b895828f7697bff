/// Text with placeholders such as `{listen_port}`.
struct Template {
    var values: [String: String]

    /// The text with every known placeholder replaced.
    func fill(_ text: String) -> String {
        values.reduce(text) { $0.replacing("{\($1.key)}", with: $1.value) }
    }

    /// What says where a server listens and where the app is.
    init(listen: Endpoint, upstream: Endpoint, files: String) {
        values = [
            "listen_host": listen.host, "listen_port": "\(listen.port)",
            "upstream_host": upstream.host, "upstream_port": "\(upstream.port)",
            "files": files,
        ]
    }

    init(values: [String: String]) {
        self.values = values
    }
}
