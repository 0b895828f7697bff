/// Programs whose listeners are always private services, whichever port they have.
extension PrivateService {
    /// - Parameter command: the command line of the process that listens.
    init?(of command: CommandLine) {
        guard let service = command.names.lazy.compactMap(Self.named).first ?? Self.script(of: command) else {
            return nil
        }
        self = service
    }

    private static func named(_ name: String) -> PrivateService? {
        if let service = byProgram[name] { return service }
        if name.hasPrefix("php-fpm") || name.hasPrefix("php-cgi") { return fastCGI }
        if name.hasPrefix("selenium-server") { return browser }
        return name.hasSuffix("-language-server") || name.hasSuffix("-lsp") ? languageServer : nil
    }

    /// Programs that are known by the folder of their script, or by its arguments.
    private static func script(of command: CommandLine) -> PrivateService? {
        guard let script = command.script else { return nil }
        if script.contains("debugpy/adapter") || script.hasPrefix("debugpy.adapter") { return debugpy }
        if script.contains("/ray/dashboard/") || script.contains("/ray/_private/") { return compute }
        if script.hasPrefix("distributed.cli") { return compute }
        if [".vscode-server/", ".cursor-server/", ".windsurf-server/", "/out/server-main.js"].contains(
            where: script.contains)
        {
            return editor
        }
        let startsBrowsers = command.arguments.contains { ["run-server", "launch-server"].contains($0) }
        return startsBrowsers && script.contains("playwright") ? browser : nil
    }

    private static let byProgram: [String: PrivateService] = {
        let programs: [([String], PrivateService)] = [
            (
                [
                    "chrome", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "msedge",
                    "microsoft-edge", "brave", "brave-browser", "opera", "vivaldi", "vivaldi-bin", "headless_shell",
                    "headless-shell", "chrome-headless-shell", "firefox", "firefox-esr", "firefox-bin", "MiniBrowser",
                    "epiphany", "chromedriver", "geckodriver", "msedgedriver", "operadriver", "WebKitWebDriver",
                    "WPEWebDriver", "appium",
                ], browser
            ),
            (["dlv", "dlv-dap"], delve),
            (
                [
                    "gdb", "gdbserver", "lldb", "lldb-server", "lldb-dap", "lldb-vscode", "debugserver", "codelldb",
                    "rr", "openocd", "vgdb", "OpenDebugAD7",
                ], nativeDebugger
            ),
            (["netcoredbg", "vsdbg", "vsdbg-ui"], dotnet),
            (["epmd"], erlang),
            (["nvim", "emacs", "code-tunnel"], editor),
            (
                ["gopls", "pylsp", "pyls", "solargraph", "clangd", "rust-analyzer", "jdtls", "sourcekit-lsp"],
                languageServer
            ),
            (
                [
                    "ssh", "autossh", "sshd", "sshd-session", "dropbear", "dbclient", "kubectl", "ngrok", "cloudflared",
                    "frpc", "chisel",
                ], tunnel
            ),
            (["dockerd", "containerd"], docker),
            (["raylet", "gcs_server", "dask-scheduler", "dask-worker", "dask", "ipcluster", "ipcontroller"], compute),
            (["supervisord"], control),
            (["adb", "adbd"], android),
            (["jstatd", "rmiregistry"], management),
        ]
        return Dictionary(uniqueKeysWithValues: programs.flatMap { names, service in names.map { ($0, service) } })
    }()
}
