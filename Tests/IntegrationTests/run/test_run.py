"""`loopbridge run`: whatever the command listens on, on loopback only, is bridged as it comes and goes."""

import os
import statistics
import subprocess
import time

import pytest

from support.apps import App, greets
from support.namespaces import Cable
from support.sockets import connect, read_to_end
from support.waiting import stays_true, wait_until
from support.wrapped import PYTHON, Child

HTTP = b"GET / HTTP/1.0\r\n\r\n"


def answers(outside, port, host=Cable.CONTAINER):
    """Whether somebody accepts at this port and says something."""
    try:
        with connect(outside, host, port, timeout=5) as client:
            client.sendall(HTTP)
            return bool(client.recv(1))
    except OSError:
        return False


def is_open(outside, port, host=Cable.CONTAINER):
    try:
        connect(outside, host, port, timeout=5).close()
        return True
    except OSError:
        return False


def wait_until_open(outside, port, limit=10.0):
    wait_until(lambda: is_open(outside, port), f"port {port} is reachable from outside", limit, interval=0.002)
    return time.monotonic()


def settled(child, program):
    """Has the program look around once more after all that has happened so far."""
    child.listen("127.0.0.1", 7999)
    wait_until(lambda: 7999 in program.bridged(), "it has looked around")


def test_python_http_server(container, outside, run, tmp_path):
    run([PYTHON, "-m", "http.server", "--bind", "127.0.0.1", "--directory", str(tmp_path), "8000"], noisy=True)
    wait_until(lambda: answers(outside, 8000), "it answers from outside", limit=20)
    assert answers(outside, 8000, Cable.CONTAINER_V6)


@pytest.mark.parametrize("address", ["localhost", "::1", "127.0.0.1"])
def test_node(container, outside, run, address):
    run(["node", "-e", f"require('http').createServer((_, r) => r.end('hi')).listen(8000, '{address}')"])
    wait_until(lambda: answers(outside, 8000), "it answers from outside", limit=20)
    assert answers(outside, 8000, Cable.CONTAINER_V6)


def test_mapped_address(container, outside, run):
    """Java's sockets are IPv6 ones on ::ffff:127.0.0.1."""
    script = ("import socket; s = socket.socket(socket.AF_INET6); s.setsockopt(41, 26, 0);"
              "s.bind(('::ffff:127.0.0.1', 8000)); s.listen()\n"
              "while True: s.accept()[0].sendall(b'hi')")
    run([PYTHON, "-c", script])
    wait_until(lambda: answers(outside, 8000), "it answers from outside", limit=20)


def test_multipath_tcp(container, outside, run):
    """Go's net.Listen makes this by default."""
    script = ("import socket; s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262);"
              "s.bind(('127.0.0.1', 8000)); s.listen()\n"
              "while True: s.accept()[0].sendall(b'hi')")
    probe = subprocess.run(container.command(
        PYTHON, "-c", "import socket; socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)"), capture_output=True)
    if probe.returncode != 0:
        pytest.skip("this kernel has no MPTCP")
    run([PYTHON, "-c", script])
    wait_until(lambda: answers(outside, 8000), "it answers from outside", limit=20)


@pytest.mark.limit(120)
def test_comes_and_goes_with_the_app(container, outside, run, tmp_path):
    """Seen at once while the app starts, and within a second after that, again and again.

    What is promised is 200 ms and about 1 s. A busy machine may be slower now and then, so the median counts.
    """
    child = Child(tmp_path)
    program = run(child.command)
    child.ready()

    def delay(port):
        return -child.listen("127.0.0.1", port) + wait_until_open(outside, port)

    def goes(port):
        child.close("127.0.0.1", port)
        wait_until(lambda: not is_open(outside, port), f"port {port} is closed")
        program.wait_for_message("no longer forwarding", f":{port}")

    started = time.monotonic()
    at_start = []
    for port in range(8000, 8007):
        at_start.append(delay(port))
        if port != 8000:
            goes(port)
    assert time.monotonic() - started < 9, "this machine is too slow to tell"
    assert statistics.median(at_start) < 0.4, at_start
    # The app has run for a while: it is looked for less often. This is the phase to be tested, so it is waited for.
    wait_until(lambda: time.monotonic() - started > 11, "10 s are over", limit=15)
    later = []
    for _ in range(3):
        goes(8000)
        later.append(delay(8000))
    assert statistics.median(later) < 1.4, later


def test_listens_late(container, outside, run, tmp_path):
    child = Child(tmp_path)
    program = run([*["/bin/sh", "-c", 'sleep 5; exec "$@"', "sh"], *child.command])
    child.listen("::1", 8000)
    wait_until_open(outside, 8000)
    wait_until(lambda: program.bridged() == [8000], "that has been announced")


@pytest.mark.parametrize("who", ["child_listens", "orphan_listens"])
def test_descendants(container, outside, run, tmp_path, who):
    child = Child(tmp_path)
    program = run(child.command)
    getattr(child, who)("127.0.0.1", 8000)
    wait_until(lambda: program.bridged() == [8000], f"it is bridged; {program.describe()}")
    assert is_open(outside, 8000)


def test_other_processes_are_left_alone(container, outside, run, tmp_path):
    child = Child(tmp_path)
    with App(container, greets(b"not ours")):
        program = run(child.command)
        settled(child, program)
        assert program.bridged() == [7999]
        assert not is_open(outside, 8000)


def test_addresses_that_are_not_bridged(container, outside, run, tmp_path):
    """Docker's DNS; what is reachable already; and what somebody else serves on the outside's address."""
    child = Child(tmp_path)
    program = run(child.command)
    child.listen("127.0.0.11", 8001)
    child.listen("0.0.0.0", 8002)
    child.listen(Cable.CONTAINER, 8003)
    with App(container, greets(b"other"), address=Cable.CONTAINER, port=8004):
        child.listen("127.0.0.1", 8004)
        settled(child, program)
        assert program.bridged() == [7999]
        assert not is_open(outside, 8001)
        assert len(program.messages("not bridging port 8004")) == 1
        with connect(outside, Cable.CONTAINER, 8004) as client:
            client.sendall(b"x")
            assert read_to_end(client)[0] == b"other x"
        # Served on one of the outside's addresses, so the others are left alone too.
        assert not is_open(outside, 8004, Cable.CONTAINER_V6)
    # The process that stood in the way has gone.
    wait_until_open(outside, 8004)


def test_second_loopback_address_keeps_the_bridge(container, outside, run, tmp_path):
    """An app that listens on 127.0.0.1 and then on ::1 too, as many do, is bridged all the time."""
    child = Child(tmp_path)
    program = run(child.command)
    child.listen("127.0.0.1", 8000)
    wait_until_open(outside, 8000)
    child.listen("::1", 8000)
    settled(child, program)
    assert is_open(outside, 8000)
    assert not program.messages("no longer"), program.describe()
    # The one that is left takes over.
    child.close("127.0.0.1", 8000)
    program.wait_for_message("forwarding to [::1]:8000")
    wait_until_open(outside, 8000)
    # A client that came between the close and its discovery had to wait.
    complaints = [line["message"] for line in program.log if line["level"] in ("warning", "error")]
    assert all("is not listening; clients wait" in message for message in complaints), program.describe()


@pytest.mark.parametrize("options, environment, bridged", [
    (["--only", "8000,8002"], {}, [8000, 8002]),
    (["--except", "8000,8002"], {}, [8001]),
    (["--only", "8000,8001", "--except", "8001"], {}, [8000]),
    ([], {"LOOPBRIDGE_ONLY": "8001 8002"}, [8001, 8002]),
    ([], {"LOOPBRIDGE_EXCEPT": "8001"}, [8000, 8002]),
    (["--only", "8000"], {"LOOPBRIDGE_ONLY": "8001"}, [8000])])
def test_chosen_ports(container, outside, run, tmp_path, options, environment, bridged):
    child = Child(tmp_path)
    program = run(child.command, *options, environment=environment)
    for port in (8000, 8001, 8002):
        child.listen("127.0.0.1", port)
    wait_until(lambda: sorted(program.bridged()) == bridged, f"{bridged} are bridged", limit=10)
    stays_true(lambda: sorted(program.bridged()) == bridged, "no other port", 0.3)


@pytest.mark.parametrize("options", [["--only", "0"], ["--only", "70000"], ["--except", "web"], ["--stop-timeout", "1"]])
def test_wrong_options(container, run, options):
    program = run(["true"], *options)
    assert program.wait() == 64
    assert program.noise


@pytest.mark.parametrize("port", [2345, 5005, 5678, 9222, 9229])
def test_debuggers_are_bridged_only_when_named(container, outside, run, tmp_path, port):
    child = Child(tmp_path)
    program = run(child.command)
    child.listen("127.0.0.1", port)
    program.wait_for_message(f"not bridging port {port}", "owns the process")
    settled(child, program)
    assert not is_open(outside, port)
    assert len(program.messages(f"not bridging port {port}")) == 1
    other = Child(tmp_path)
    child.close("127.0.0.1", port)
    named = run(other.command, "--only", str(port))
    other.listen("127.0.0.1", port)
    wait_until_open(outside, port)
    wait_until(lambda: named.bridged() == [port], "that has been announced")


def test_routes_instead(container, outside, run, tmp_path):
    child = Child(tmp_path)
    program = run(child.command, "8080:8000")
    program.wait_until_listening()
    child.listen("127.0.0.1", 8000)
    wait_until_open(outside, 8080)
    assert not is_open(outside, 8000) and not program.bridged()


def test_listens_before_the_app_with_routes(container, outside, run, tmp_path):
    """A client that comes before the app listens is not refused; the hold is for that."""
    os.mkfifo(tmp_path / "go")
    script = (f"import socket; open({str(tmp_path / 'go')!r}).read(); s = socket.create_server(('127.0.0.1', 8000)); "
              "s.accept()[0].send(b'hi')")
    program = run([PYTHON, "-c", script], "8000")
    program.wait_until_listening()
    with connect(outside, Cable.CONTAINER, 8000) as client:
        program.wait_for_message("is not listening")
        (tmp_path / "go").write_text("go")
        assert read_to_end(client)[0] == b"hi"
    assert program.wait() == 0


def test_needs_a_command(container, run):
    for program in (run([]), run([], "8000")):
        assert program.wait() == 64


def test_route_that_cannot_be_had(container, run, tmp_path):
    """An app that nobody could reach is not started."""
    with App(container, greets(b"other"), port=8080):
        program = run(["touch", str(tmp_path / "started")], "127.0.0.1:8080:127.0.0.1:8000")
        assert program.wait() == 71
    assert not (tmp_path / "started").exists()
