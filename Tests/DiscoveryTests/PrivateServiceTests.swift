import Testing

@testable import Discovery

/// Services that give a stranger a process or its files are known by their command line and environment.
@Suite struct PrivateServiceTests {
    private static let kernelChoice = KernelChoice(range: 32768...60999, givesEverySecond: true)

    private func process(
        _ command: String, _ environment: [String: String] = [:], id: Int = 7, parent: Int? = 1,
        executable: String? = nil
    ) -> ProcessDetails {
        ProcessDetails(
            id: id, parent: parent,
            command: CommandLine(command.split(separator: " ").map(String.init), executable: executable),
            environment: environment)
    }

    private func service(
        at port: UInt16, _ owners: [ProcessDetails], suspects: [ProcessDetails] = [], files: [String: String] = [:]
    ) -> PrivateService? {
        let obstacle = ListenerJudgement.obstacle(
            at: port, owners: owners, suspects: suspects, kernelChoice: Self.kernelChoice
        ) { files[$1] }
        guard case .privateService(let service, _)? = obstacle else { return nil }
        return service
    }

    static let namedByAnOption: [(String, UInt16, PrivateService)] = [
        ("node --inspect=9333 app.js", 9333, .inspector),
        ("node --inspect-brk=0.0.0.0:9333 app.js", 9333, .inspector),
        ("node --inspect-wait=[::1]:9333 app.js", 9333, .inspector),
        ("node --inspect_brk=localhost:9333 app.js", 9333, .inspector),
        ("node --inspect-port=9333 app.js", 9333, .inspector),
        ("node --inspect-port 9333 app.js", 9333, .inspector),
        ("node --debug-port=9333 app.js", 9333, .inspector),
        ("/usr/local/bin/node --inspect-port=7231 /app/worker.js", 7231, .inspector),
        ("deno run --inspect=127.0.0.1:9333 main.ts", 9333, .inspector),
        ("bun --inspect=localhost:4000/prefix index.ts", 4000, .inspector),
        ("workerd serve --inspector-addr=localhost:9333 config", 9333, .inspector),
        ("/opt/app/slack --remote-debugging-port=9333", 9333, .devTools),
        ("python3 -m debugpy --listen 5679 app.py", 5679, .debugpy),
        ("python3 -X frozen_modules=off -m debugpy --listen 127.0.0.1:5679 --wait-for-client app.py", 5679, .debugpy),
        ("python3 -um debugpy --listen 5679 app.py", 5679, .debugpy),
        ("/venv/bin/python /venv/bin/debugpy --listen=5679 app.py", 5679, .debugpy),
        ("python3 -m ptvsd --host localhost --port 3000 app.py", 3000, .pythonDebugger),
        ("python3 -m pydevd --server --port 5679 --file app.py", 5679, .pythonDebugger),
        ("python3 /opt/pydevd/pydevd.py --port 5679 --server --file app.py", 5679, .pythonDebugger),
        ("java -agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=*:5006 -jar app.jar", 5006, .java),
        ("java -agentlib:jdwp=transport=dt_socket,address=5006,server=y Main", 5006, .java),
        ("java -Xdebug -Xrunjdwp:transport=dt_socket,server=y,address=localhost:8787 Main", 8787, .java),
        ("java -agentpath:/jdk/lib/libjdwp.so=server=y,address=5006 Main", 5006, .java),
        ("java -Dcom.sun.management.jmxremote.port=9010 -jar app.jar", 9010, .management),
        ("java -Dcom.sun.management.jmxremote.rmi.port=9011 -jar app.jar", 9011, .management),
        ("mono --debug --debugger-agent=transport=dt_socket,address=127.0.0.1:55555,server=y app.exe", 55555, .dotnet),
        ("ruby /usr/bin/rdbg --open --port 12345 app.rb", 12345, .ruby),
        ("ruby /usr/bin/rdbg --open --port 12345 -c -- rails s -p 3000", 12345, .ruby),
        ("python3 -m debugpy --listen 5679 -m waitress --listen=127.0.0.1:8080 app:app", 5679, .debugpy),
        ("uwsgi --socket :3031 --socket :3032 -w app", 3032, .fastCGI),
        ("uwsgi --protocol=http --socket :8080 --uwsgi-socket :3031 -w app", 3031, .fastCGI),
        ("ruby /usr/bin/rdbg -O --port=12345 -c -- rails s", 12345, .ruby),
        ("ruby /usr/bin/rdebug-ide --host 127.0.0.1 --port 1236 -- bin/rails s", 1236, .ruby),
        ("dart run --enable-vm-service=8182/127.0.0.1 bin/server.dart", 8182, .dart),
        ("dart --observe=8182 bin/server.dart", 8182, .dart),
        ("qemu-system-x86_64 -s -S disk.img", 1234, .machine),
        ("qemu-system-aarch64 -gdb tcp::1235 disk.img", 1235, .machine),
        ("qemu-system-x86_64 -monitor tcp:127.0.0.1:4445,server,nowait disk.img", 4445, .machine),
        ("beam.smp -- -kernel inet_dist_listen_min 9100 inet_dist_listen_max 9105", 9103, .erlang),
        ("beam.smp -- -kernel inet_dist_listen_min 9100", 9100, .erlang),
        ("uwsgi --socket 127.0.0.1:3031 --wsgi-file app.py", 3031, .fastCGI),
        ("python3 -m ipykernel_launcher -f /run/kernel-1.json", 5003, .kernel),
    ]

    /// The app's own port is bridged all the same: it is often the same process that listens there.
    @Test(arguments: namedByAnOption)
    func anOptionNamesThePort(command: String, port: UInt16, expected: PrivateService) {
        let files = [
            "/run/kernel-1.json": #"{"shell_port": 5001, "iopub_port": 5002, "hb_port": 5003, "ip": "127.0.0.1"}"#
        ]
        #expect(service(at: port, [process(command)], files: files) == expected)
        #expect(service(at: 8000, [process(command)], files: files) == nil)
    }

    @Test(arguments: [
        ("NODE_OPTIONS", "--max-old-space-size=4096 --inspect=127.0.0.1:9333", "node app.js", 9333),
        ("JAVA_TOOL_OPTIONS", "-agentlib:jdwp=transport=dt_socket,server=y,address=5006", "java -jar a.jar", 5006),
        ("JDK_JAVA_OPTIONS", "-Dcom.sun.management.jmxremote.port=9010", "java -jar a.jar", 9010),
        ("BUN_INSPECT", "ws://localhost:4000/abc", "bun index.ts", 4000),
        ("RUBY_DEBUG_PORT", "12345", "ruby app.rb", 12345),
        ("REMOTE_PDB_PORT", "4445", "python3 app.py", 4445),
        ("QTWEBENGINE_REMOTE_DEBUGGING", "9333", "/opt/browser", 9333),
        ("WEBKIT_INSPECTOR_SERVER", "127.0.0.1:9333", "/opt/kiosk", 9333),
    ])
    func aVariableNamesThePort(name: String, value: String, command: String, port: UInt16) {
        #expect(service(at: port, [process(command, [name: value])]) != nil)
        #expect(service(at: 8000, [process(command, [name: value])]) == nil)
        #expect(service(at: port, [process(command)]) == nil)
    }

    @Test func aFileOfOptionsNamesThePort() {
        let files = ["debug.args": "-Xmx1g\n-agentlib:jdwp=transport=dt_socket,server=y,address=5006\n"]
        #expect(service(at: 5006, [process("java @debug.args -jar app.jar")], files: files) == .java)
    }

    static let programs: [(String, PrivateService)] = [
        ("/usr/lib/chromium/chromium --type=browser", .browser), ("chromedriver --port=9999", .browser),
        ("/opt/google/chrome/chrome --remote-debugging-port=0", .browser), ("geckodriver -p 4445", .browser),
        ("/usr/lib/firefox-esr/firefox-esr --marionette", .browser),
        ("java -jar /opt/selenium-server-4.20.0.jar standalone", .browser),
        ("node /app/node_modules/playwright/cli.js run-server --port 8080", .browser),
        ("dlv debug --headless --listen=127.0.0.1:4040", .delve), ("gdbserver localhost:1234 ./app", .nativeDebugger),
        ("lldb-server gdbserver 127.0.0.1:7000", .nativeDebugger), ("netcoredbg --server=4711 --", .dotnet),
        ("/usr/bin/python3 /site/debugpy/adapter --for-server 33357 --host 127.0.0.1 --port 5679", .debugpy),
        ("python3 -m debugpy.adapter --port 3000", .debugpy), ("/usr/bin/epmd -daemon", .erlang),
        ("nvim --headless --listen 127.0.0.1:6666", .editor),
        ("/root/.vscode-server/bin/abc/node /root/.vscode-server/bin/abc/out/server-main.js --port=3000", .editor),
        ("ssh -N -L 3000:db:5432 bastion", .tunnel), ("sshd: root@pts/0", .tunnel), ("kubectl port-forward x", .tunnel),
        ("php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)", .fastCGI), ("php-fpm8.2 -F", .fastCGI),
        ("gopls -listen=:3000", .languageServer), ("python3 -m pylsp --tcp", .languageServer),
        ("node /usr/bin/typescript-language-server --socket=3000", .languageServer),
        ("/bin/sh /usr/local/bin/gdbserver :7000", .nativeDebugger),
        ("dockerd -H tcp://127.0.0.1:2376", .docker), ("raylet --node_manager_port=3000", .compute),
        ("python3 /usr/bin/supervisord -n", .control),
    ]

    @Test(arguments: programs)
    func aProgramHasNoOtherPort(command: String, expected: PrivateService) {
        for port in [80, 3000, 8080, 45000] as [UInt16] {
            #expect(service(at: port, [process(command)]) == expected)
        }
    }

    @Test func theProgramsFileCountsWhateverItIsCalled() {
        #expect(service(at: 3000, [process("x", executable: "/usr/bin/gdbserver (deleted)")]) == .nativeDebugger)
        #expect(service(at: 9230, [process("my-app: master", executable: "/usr/bin/node")]) == .inspector)
    }

    @Test(
        arguments: [
            ("node --inspect app.js", 8000), ("node app.js", 3000), ("node --inspect 3000", 3000),
            ("python3 -m http.server 8000", 8000), ("python3 manage.py runserver", 8000),
            ("python3 chrome_report.py", 8000), ("/app/server --listen 127.0.0.1:5679", 5679),
            ("java -jar app.jar --server.port=8080", 8080), ("java -Dserver.port=8080 Main", 8080),
            ("uwsgi --http 127.0.0.1:8080", 8080), ("uwsgi --socket 127.0.0.1:8080 --protocol=http -w app", 8080),
            ("uwsgi -s :8080 --protocol http -w app", 8080),
            ("ruby /usr/bin/rdbg --open --port 12345 -c -- rails s -p 3000", 3000),
            ("ruby /usr/bin/rdbg -c -- bin/rails s --port=3000", 3000),
            ("ruby /usr/bin/byebug -R localhost:8990 app.rb -p 3000", 3000),
            ("python3 -m debugpy --listen 5679 -m waitress --listen=127.0.0.1:8080 app:app", 8080),
            ("nginx: master process nginx", 8080),
            ("php -S 127.0.0.1:8000", 8000),
            ("python3 -m debugpy --connect 5678 app.py", 8000), ("python3 -m jupyter_server --port 8888", 8888),
            ("qemu-system-x86_64 -netdev user,hostfwd=tcp:127.0.0.1:8080-:80", 8080),
            ("redis-server 127.0.0.1:6379", 6379),
            ("beam.smp -- -sname app", 4000), ("python3 app.py", 9230), ("node app.js", 4444), ("", 8000),
        ] as [(String, UInt16)])
    func anAppIsNone(command: String, port: UInt16) {
        #expect(service(at: port, [process(command)]) == nil)
    }

    @Test(arguments: PrivateService.byPort.keys.sorted())
    func someAreKnownByTheirPort(port: UInt16) {
        #expect(service(at: port, []) == PrivateService.byPort[port])
        #expect(service(at: port, [process("python3 app.py")]) == PrivateService.byPort[port])
    }

    @Test(
        arguments: [
            ("node worker.js", 9230), ("deno run main.ts", 9239), ("python3 app.py", 4444), ("python3 app.py", 6900),
            ("ruby app.rb", 8989), ("java Main", 8005), ("java Main", 25333),
        ] as [(String, UInt16)])
    func someAreKnownByTheirPortAndRuntime(command: String, port: UInt16) {
        #expect(service(at: port, [process(command)]) != nil)
        #expect(service(at: port, [process("/app/server")]) == nil)
    }

    /// A socket that a child has inherited is its parent's.
    @Test func whoHasOpenedTheSocketCounts() {
        let app = process("python3 app.py", id: 10, parent: 1)
        let browser = process("chromium", id: 11, parent: 10)
        #expect(service(at: 8000, [app, browser]) == nil)
        #expect(service(at: 8000, [browser]) == .browser)
        let debugger = process("gdbserver :7000 ./app", id: 20, parent: 1)
        #expect(service(at: 7000, [process("./app", id: 21, parent: 20), debugger]) == .nativeDebugger)
    }

    /// The command lines of all possible owners count where the owner of a socket cannot be seen.
    @Test func suspects() {
        let hidden = [process("node --inspect=9333 app.js"), process("gdbserver :7000 ./app"), process("ssh bastion")]
        #expect(service(at: 9333, [], suspects: hidden) == .inspector)
        #expect(service(at: 7000, [], suspects: hidden) == .nativeDebugger)
        #expect(service(at: 9230, [], suspects: []) == .inspector)
        #expect(service(at: 8000, [], suspects: hidden) == nil)
        #expect(service(at: 9333, [process("python3 app.py")], suspects: hidden) == nil)
    }

    @Test(
        arguments: [
            ("9333", 9333), ("localhost:9333", 9333), ("[::1]:9333", 9333), ("*:5005", 5005), ("tcp::1234", 1234),
            ("tcp:127.0.0.1:4445,server,nowait", 4445), ("8182/127.0.0.1", 8182), ("ws://localhost:6499/path", 6499),
            ("localhost", nil), ("", nil), ("70000", nil), ("app.js", nil), (":", nil), ("://", nil),
        ] as [(String, UInt16?)])
    func portsOfAddresses(text: String, port: UInt16?) {
        #expect(PrivateService.port(in: text) == port)
    }

    @Test func whatAnInspectorAnswers() {
        let node = "HTTP/1.0 200 OK\r\n\r\n{\n  \"Browser\": \"node.js/v20\",\n  \"Protocol-Version\": \"1.1\"\n}"
        #expect(InspectorQuestion.isInspectors(Array(node.utf8)))
        #expect(!InspectorQuestion.isInspectors(Array("HTTP/1.1 404 Not Found\r\n\r\n{}".utf8)))
        #expect(!InspectorQuestion.isInspectors([]))
    }
}
