"""`loopbridge run` opens what an app's users are meant to reach, and neither debuggers nor helpers.

Each test wraps a real program, has it open whatever it opens, and looks at all 65,535 ports from outside.
"""

import json
import os
import shutil
import subprocess

import pytest

from support.actors.scanning import loopback_ports, open_ports, wait_until_decided
from support.packages import PYTHON as PYTHON_WITH_PACKAGES, needs
from support.settings import PROGRAM
from support.waiting import wait_until
from support.wrapped import PYTHON, Child

pytestmark = pytest.mark.limit(180)


def needs_program(*names):
    missing = [name for name in names if shutil.which(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"there is no {' and no '.join(missing)} on this machine")


def script(folder, name, text):
    path = folder / name
    path.write_text(text)
    return str(path)


def called(folder, name):
    """A Python whose program has another name."""
    path = folder / name
    shutil.copy(PYTHON, path)
    return str(path)


LISTENS = "import socket, sys\ns = socket.create_server(('127.0.0.1', int({})))\nwhile True: s.accept()[0].close()\n"


def assert_only(container, outside, program, *ports, hidden=(), number_hidden=0):
    """Nothing but these ports is open, and every other one that listens inside was left out with a word."""
    left_out = wait_until_decided(container, program, *ports, *hidden)
    assert left_out >= set(hidden), program.describe()
    assert len(left_out) >= number_hidden, program.describe()
    assert open_ports(outside) == set(ports), program.describe()
    assert sorted(set(program.bridged())) == sorted(ports), program.describe()
    for line in program.messages("not bridging port"):
        assert f"--only {line['port']}" in line["message"] and "ROUTE" in line["message"], line
    return left_out


# Node.js

CLUSTER = """
const cluster = require('cluster'), http = require('http');
if (cluster.isPrimary) for (let i = 0; i < 3; i++) cluster.fork();
else http.createServer((_, answer) => answer.end('hi')).listen(8000, '127.0.0.1');
"""
SERVER = "require('http').createServer((_, answer) => answer.end('hi')).listen(8000, '127.0.0.1');"
OPENED_LATER = SERVER + """
const { Worker } = require('worker_threads');
new Worker("require('http').createServer((_, answer) => answer.end('hi')).listen(8001, '127.0.0.1')", { eval: true });
setTimeout(() => require('inspector').open(PORT, '127.0.0.1'), 300);
"""


@needs_program("node")
@pytest.mark.parametrize("options, environment, first", [
    (["--inspect=9333"], {}, 9333), (["--inspect"], {}, 9229), (["--inspect=127.0.0.1:44444"], {}, 44444),
    (["--inspect-port=5000", "--inspect"], {}, 5000), ([], {"NODE_OPTIONS": "--inspect=3000"}, 3000)])
def test_node_cluster(container, outside, run, tmp_path, options, environment, first):
    """Each of a cluster's workers has an inspector at a port of its own."""
    program = run(["node", *options, script(tmp_path, "app.js", CLUSTER)], environment=environment, noisy=True)
    assert_only(container, outside, program, 8000, hidden=range(first, first + 4))


@needs_program("node")
@pytest.mark.parametrize("port", ["9555", "18002", "0"])
def test_node_inspector_that_the_code_opens(container, outside, run, tmp_path, port):
    """Nothing but what it answers tells it from a worker thread's server."""
    program = run(["node", script(tmp_path, "app.js", OPENED_LATER.replace("PORT", port))], noisy=True)
    program.wait_for_message("not bridging port", limit=30)
    assert_only(container, outside, program, 8000, 8001, number_hidden=1)


@needs_program("node")
def test_node_after_sigusr1(container, outside, run, tmp_path):
    """The signal opens the inspector of a program that runs already."""
    text = SERVER + "setTimeout(() => process.kill(process.pid, 'SIGUSR1'), 300);"
    program = run(["node", "--inspect-port=7000", script(tmp_path, "app.js", text)], noisy=True)
    assert_only(container, outside, program, 8000, hidden=[7000])


@needs_program("node")
def test_a_named_inspector_is_bridged(container, outside, run, tmp_path):
    program = run(["node", "--inspect=9333", script(tmp_path, "app.js", SERVER)], "--only", "8000,9333", noisy=True)
    wait_until(lambda: sorted(program.bridged()) == [8000, 9333], "both are bridged", limit=30)
    assert not program.messages("not bridging")


@needs_program("node")
def test_node_with_a_title(container, outside, auto, run, tmp_path):
    """A title takes the command line's place, as with Next.js, so that nothing but the answer is left to go by."""
    text = SERVER + "process.title = 'next-server (v15)';"
    run(["node", "--inspect=18333", script(tmp_path, "app.js", text)], "--only", "1", noisy=True)
    wait_until(lambda: loopback_ports(container) >= {8000, 18333}, "it listens", limit=30)
    program = auto()
    assert_only(container, outside, program, 8000, hidden=[18333])


@needs_program("node")
def test_auto_knows_them_too(container, outside, auto, run, tmp_path):
    """The inspector of an app that was started by somebody else."""
    app = script(tmp_path, "app.js", SERVER)
    wrapped = run(["node", "--inspect=9333", app], "--only", "1", noisy=True)
    wait_until(lambda: loopback_ports(container) >= {8000, 9333}, "it listens", limit=30)
    program = auto()
    assert_only(container, outside, program, 8000, hidden=[9333])
    assert not wrapped.bridged()


# Python

DEBUGGED = """
import {first}
import http.server
{second}
http.server.HTTPServer(('127.0.0.1', 8000), http.server.BaseHTTPRequestHandler).serve_forever()
"""


@needs("debugpy")
@pytest.mark.parametrize("how", ["options", "code"])
def test_debugpy(container, outside, run, tmp_path, how):
    first, second = ("sys", "") if how == "options" else ("debugpy", "debugpy.listen(5679)")
    app = script(tmp_path, "app.py", DEBUGGED.format(first=first, second=second))
    options = ["-X", "frozen_modules=off", "-m", "debugpy", "--listen", "5679"] if how == "options" else []
    program = run([PYTHON_WITH_PACKAGES, *options, app], noisy=True)
    # The adapter listens for the debugged program, too.
    assert_only(container, outside, program, 8000, hidden=[5679], number_hidden=2)


@needs("jupyter_server", "ipykernel")
def test_jupyter(container, outside, run, tmp_path):
    """A kernel has five sockets, at ports that were the kernel's of this machine to choose."""
    environment = {"HOME": str(tmp_path), "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime")}
    starts_a_kernel = """
import json, sys, time, urllib.request
from jupyter_server.serverapp import ServerApp
app = ServerApp(ip='127.0.0.1', port=8000, open_browser=False, allow_root=True)
app.initialize([])
app.io_loop.add_callback(app.kernel_manager.start_kernel)
app.start()
"""
    command = [PYTHON_WITH_PACKAGES, "-B", "-c", starts_a_kernel]
    program = run(command, noisy=True, environment=environment)
    wait_until(lambda: len(program.messages("not bridging port")) >= 5, "the kernel has started", limit=90)
    assert_only(container, outside, program, 8000, number_hidden=5)


# Browsers

SELENIUM = """
import http.server, signal, sys
from selenium import webdriver
options = webdriver.ChromeOptions()
for option in ('--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', DEBUGGING):
    if option: options.add_argument(option)
options.binary_location = BINARY
driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
try:
    http.server.HTTPServer(('127.0.0.1', 8000), http.server.BaseHTTPRequestHandler).serve_forever()
finally:
    driver.quit()
"""


@needs("selenium")
@needs_program("chromium", "chromedriver")
@pytest.mark.parametrize("debugging", ["", "--remote-debugging-port=9333"])
def test_selenium(container, outside, run, tmp_path, debugging):
    text = SELENIUM.replace("DEBUGGING", repr(debugging)).replace("BINARY", repr(shutil.which("chromium"))) \
        .replace("DRIVER", repr(shutil.which("chromedriver")))
    program = run([PYTHON_WITH_PACKAGES, script(tmp_path, "app.py", text)], noisy=True,
                  environment={"HOME": str(tmp_path), "SE_AVOID_STATS": "true"})
    wait_until(lambda: 8000 in program.bridged(), "the browser and then the app have started", limit=120)
    assert_only(container, outside, program, 8000, number_hidden=2)


@needs_program("chromium", "chromedriver")
@pytest.mark.parametrize("port", [9999, 45000])
def test_chromedriver(container, outside, run, tmp_path, port):
    """It starts a browser for everybody who asks, so the port is a program's whichever it is."""
    program = run(["chromedriver", f"--port={port}"], noisy=True, environment={"HOME": str(tmp_path)})
    assert_only(container, outside, program, hidden=[port])


# Others

JAVA = """
public class App {
    public static void main(String[] arguments) throws Exception {
        var here = java.net.InetAddress.getByName("127.0.0.1");
        try (var listener = new java.net.ServerSocket(8000, 50, here)) { while (true) listener.accept().close(); }
    }
}
"""


@needs_program("java", "javac")
@pytest.mark.parametrize("how", ["options", "variable", "file"])
def test_java(container, outside, run, tmp_path, how):
    option = "-agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=127.0.0.1:5006"
    options = {"options": [option], "variable": [], "file": [f"@{script(tmp_path, 'arguments', option)}"]}[how]
    program = run(["java", *options, script(tmp_path, "App.java", JAVA)], noisy=True,
                  environment={"JAVA_TOOL_OPTIONS": option} if how == "variable" else {})
    assert_only(container, outside, program, 8000, hidden=[5006])


def test_gdbserver(container, outside, run, tmp_path):
    """The real one listens on every address, so something that listens on localhost stands in for it."""
    program = run([called(tmp_path, "gdbserver"), script(tmp_path, "app.py", LISTENS.format("7000"))])
    assert_only(container, outside, program, hidden=[7000])


@needs_program("dlv")
def test_delve(container, outside, run, tmp_path):
    program = run(["dlv", "dap", "--listen=127.0.0.1:7000"], noisy=True, environment={"HOME": str(tmp_path)})
    assert_only(container, outside, program, hidden=[7000])


@needs_program("lldb-server")
def test_lldb_server(container, outside, run):
    program = run(["lldb-server", "platform", "--server", "--listen", "127.0.0.1:7000"], noisy=True)
    assert_only(container, outside, program, hidden=[7000])


@needs_program("epmd")
def test_erlang_s_port_mapper(container, outside, run):
    program = run(["epmd", "-port", "7000", "-address", "127.0.0.1"], noisy=True)
    assert_only(container, outside, program, hidden=[7000])


@needs_program("php-fpm8.2")
def test_php_fpm(container, outside, run, tmp_path):
    """FastCGI runs whatever file and settings it is asked for."""
    settings = script(tmp_path, "fpm.conf", "[global]\nerror_log=/dev/null\n[www]\nlisten=127.0.0.1:7000\nuser=nobody\n"
                      "group=nogroup\npm=static\npm.max_children=1\n")
    program = run(["php-fpm8.2", "-F", "-y", settings], noisy=True)
    assert_only(container, outside, program, hidden=[7000])


def test_doctor_says_the_same(container, outside, run, tmp_path):
    """A port that is left out, the reason, and the way to name it."""
    child = Child(tmp_path)
    run(child.command)
    run([called(tmp_path, "gdbserver"), script(tmp_path, "app.py", LISTENS.format("7000"))])
    child.listen("127.0.0.1", 8000)
    chosen = child.listen_anywhere("127.0.0.1")
    wait_until(lambda: 7000 in loopback_ports(container), "it listens", limit=30)
    result = subprocess.run(container.command(PROGRAM, "doctor", "--json"), capture_output=True, timeout=30, check=True)
    cautions = {each["port"]: each.get("caution") for each in json.loads(result.stdout)["listeners"]
                if each["address"] == "127.0.0.1"}
    assert cautions[8000] is None
    assert "a debugger is behind it, as the program" in cautions[7000] and "--only 7000" in cautions[7000]
    assert "the kernel has chosen" in cautions[chosen] and f"--only {chosen}" in cautions[chosen]


# Ports that nobody has published

@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_ports_that_the_kernel_has_chosen(container, outside, run, tmp_path, address):
    """Some sockets that asked for no port in particular, and an app that asked for one."""
    child = Child(tmp_path)
    program = run(child.command)
    child.listen("127.0.0.1", 8000)
    chosen = {child.listen_anywhere(address) for _ in range(40)}
    # A few numbers of the range are gRPC's and the like, and may be chosen by chance.
    published = chosen & {35729, 50051, 50053, 50055, 54321}
    left_out = assert_only(container, outside, program, 8000, *published, hidden=chosen - published)
    assert left_out == chosen - published
    assert all(line["level"] == "info" for line in program.messages("not bridging port"))


def test_a_kernel_s_port_can_be_named(container, outside, run, tmp_path):
    child = Child(tmp_path)
    program = run(child.command)
    port = child.listen_anywhere("127.0.0.1")
    program.wait_for_message(f"not bridging port {port}", "the kernel has chosen", f"--only {port}")
    other = Child(tmp_path)
    named = run(other.command, "--only", str(port))
    child.close("127.0.0.1", port)
    other.listen("127.0.0.1", port)
    wait_until(lambda: named.bridged() == [port], "the named one is bridged")
    assert open_ports(outside) == {port}


GRPC = """
import concurrent.futures, grpc
server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
server.add_insecure_port('127.0.0.1:' + str(50000 + 51))
server.start()
server.wait_for_termination()
"""


@needs("grpc")
def test_grpc(container, outside, run, tmp_path):
    """Its usual port is one that the kernel might have chosen; the code says it, and nothing that can be read from outside."""
    program = run([PYTHON_WITH_PACKAGES, script(tmp_path, "app.py", GRPC)], noisy=True)
    assert_only(container, outside, program, 50051)


@pytest.mark.parametrize("port", [50051, 50052, 50053, 40000, 60000, 61001, 33060, 35729])
def test_published_ports_in_the_kernel_s_range(container, outside, run, tmp_path, port):
    child = Child(tmp_path)
    program = run(child.command)
    child.listen("127.0.0.1", port)
    assert_only(container, outside, program, port)


@pytest.mark.parametrize("where", ["command", "environment", "file"])
def test_a_port_that_was_said(container, outside, run, tmp_path, where):
    """An odd number of the kernel's range counts as published where whoever starts the app has said it."""
    port = "{}".format(45_679)
    text, arguments, environment = {
        "command": (LISTENS.format("sys.argv[1]"), [port], {}),
        "environment": ("import os\n" + LISTENS.format("os.environ['PORT']"), [], {"PORT": port}),
        "file": (LISTENS.format(port), [], {})}[where]
    program = run([PYTHON, script(tmp_path, "app.py", text), *arguments], environment=environment)
    assert_only(container, outside, program, 45_679)


def test_a_port_that_the_app_has_told_a_helper(container, outside, run, tmp_path):
    """A port in a child's arguments that its parent chose was named by nobody: many look for a free port and hand it on."""
    ends_with_its_parent = "import ctypes\nctypes.CDLL(None).prctl(1, 9)\n"
    helper = script(tmp_path, "helper.py", ends_with_its_parent + LISTENS.format("sys.argv[1]"))
    text = ("import socket, subprocess, sys\ns = socket.socket(); s.bind(('127.0.0.1', 0)); port = s.getsockname()[1]; "
            f"s.close()\nsubprocess.run([sys.executable, {helper!r}, str(port)])\n")
    program = run([PYTHON, script(tmp_path, "app.py", text)])
    line = program.wait_for_message("not bridging port", "the kernel has chosen")
    assert_only(container, outside, program, hidden=[line["port"]])


# Whose processes hide

def test_an_owner_that_cannot_be_seen(container, outside, auto, run, tmp_path):
    """Without CAP_SYS_PTRACE the socket's owner is hidden, and the command lines of those who may have it are not."""
    if shutil.which("node") is None or shutil.which("setpriv") is None:
        pytest.skip("there is no node or no setpriv on this machine")
    app = script(tmp_path, "app.js", SERVER)
    for folder in (tmp_path, *list(tmp_path.parents)[:-2]):
        folder.chmod(0o755)
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    run([*nobody, "node", "--inspect=9333", app], "--only", "1", noisy=True)
    wait_until(lambda: loopback_ports(container) >= {8000, 9333}, "it listens", limit=30)
    program = auto(wrapper=["setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"])
    assert_only(container, outside, program, 8000, hidden=[9333])


def test_a_program_that_becomes_another(container, outside, run, tmp_path):
    """A launcher opens the socket, is bridged, and executes a debugger that has it then."""
    fake = script(tmp_path, "gdbserver", f"#!{PYTHON}\nimport signal\nsignal.pause()\n")
    os.chmod(fake, 0o755)
    os.mkfifo(tmp_path / "go")
    text = ("import os, socket\ns = socket.create_server(('127.0.0.1', 8000)); s.set_inheritable(True)\n"
            f"open({str(tmp_path / 'go')!r}).read()\n"
            f"os.execv({fake!r}, ['gdbserver'])\n")
    program = run([PYTHON, script(tmp_path, "app.py", text)])
    wait_until(lambda: program.bridged() == [8000], "it is bridged")
    (tmp_path / "go").write_text("go")
    program.wait_for_message("not bridging port 8000", "a debugger is behind it")
    wait_until(lambda: open_ports(outside, ports=[8000]) == set(), "the bridge has gone")
