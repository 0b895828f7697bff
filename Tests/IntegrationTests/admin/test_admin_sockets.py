"""The admin port's sockets: those that are taken, Unix sockets and their files, and reloads that move them."""

import os
import signal
import stat

import pytest

from support.admin import PATHS, PORT, ask, listening_ports, metrics, unix_socket
from support.apps import App, echo
from support.configuration import route
from support.loopbridge import run_to_end
from support.namespaces import Cable
from support.reloading import reload, reloadable
from support.sockets import connect, read_exactly
from support.waiting import wait_until

CANNOT_LISTEN = 71


def test_a_port_that_is_taken_ends_the_program(container):
    with App(container, echo, port=PORT):
        program = run_to_end(container, "8080:8000", "--admin-listen", f"127.0.0.1:{PORT}")
    assert program.code == CANNOT_LISTEN
    assert "the port is taken" in program.messages("cannot listen on")[0]["message"]


@pytest.mark.parametrize("listen", ["8080", "127.0.0.1:8080", "[::1]:8080"])
def test_a_route_s_port_is_refused(container, listen):
    program = run_to_end(container, "8080:8000", "--admin-listen", listen)
    assert program.code == 64
    assert any("--admin-listen" in line for line in program.noise), program.noise


def test_serves_on_a_unix_socket(container, loopbridge, tmp_path):
    path = unix_socket(tmp_path)
    # The allow list is about addresses.
    program = loopbridge("8080:8000", "--admin-socket", path, "--admin-allow", "192.0.2.1")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    for target in PATHS:
        assert ask(container, target, path).status in (200, 503)
    assert listening_ports(container) == {8080}
    assert program.terminate() == 0
    assert not os.path.exists(path)


def test_replaces_a_socket_that_a_dead_program_has_left(container, loopbridge, tmp_path):
    path = unix_socket(tmp_path)
    program = loopbridge("8080:8000", "--admin-socket", path)
    program.signal(signal.SIGKILL)
    program.wait()
    program.code = 0  # as it should
    assert os.path.exists(path)
    loopbridge("8081:8000", "--admin-socket", path)
    assert ask(container, "/healthz", path).status == 200


def test_leaves_a_socket_alone_that_somebody_answers_on(container, outside, loopbridge, tmp_path):
    path = unix_socket(tmp_path)
    first = loopbridge("8080:8000", "--admin-socket", path)
    second = loopbridge("8081:8000", "--admin-socket", path)
    second.wait_for_message("no admin port at")
    with App(container, echo), connect(outside, Cable.CONTAINER, 8081) as client:
        client.sendall(b"x")
        assert read_exactly(client, 1) == b"x"
    assert [r["name"] for r in ask(container, "/status.json", path).json()["routes"]] == ["0.0.0.0:8080"]
    # The second one gets it when the first has gone, and the first one's end takes nothing away.
    assert first.terminate() == 0
    second.wait_for_message("serving the admin port at unix:", limit=15)
    assert [r["name"] for r in ask(container, "/status.json", path).json()["routes"]] == ["0.0.0.0:8081"]


@pytest.mark.parametrize("what", ["file", "folder", "link", "nowhere"])
def test_what_is_no_socket_stays(container, outside, loopbridge, tmp_path, what):
    path = unix_socket(tmp_path)
    match what:
        case "file": open(path, "w").write("precious")
        case "folder": os.mkdir(path)
        case "link":
            (tmp_path / "target").write_text("precious")
            os.symlink(tmp_path / "target", path)
        case "nowhere": path = str(tmp_path / "missing" / "admin.sock")
    before = os.lstat(path) if what != "nowhere" else None
    program = loopbridge("8080:8000", "--admin-socket", path)
    line = program.wait_for_message("no admin port at")
    assert line["level"] == "warning" and line["reason"]
    with App(container, echo), connect(outside, Cable.CONTAINER, 8080) as client:
        client.sendall(b"x")
        assert read_exactly(client, 1) == b"x"
    assert program.terminate() == 0
    if before:
        assert os.lstat(path).st_ino == before.st_ino


def test_a_read_only_folder_is_worth_a_warning(container, loopbridge, tmp_path):
    # A file system of its own, read-only for this program alone.
    wrapper = ("unshare", "--mount", "/bin/sh", "-c", 'mount -t tmpfs -o ro none "$0" && exec "$@"', str(tmp_path))
    program = loopbridge("8080:8000", "--admin-socket", unix_socket(tmp_path), wrapper=wrapper)
    assert program.wait_for_message("no admin port at")["reason"] == "Read-only file system"


# Reload

def test_a_reload_moves_it(container, outside, reloadable, tmp_path):
    path = unix_socket(tmp_path)
    program, file = reloadable(route(8080, 8000, "web"))
    file.set(route(8080, 8000, "web"), admin=f"{{ listen: 127.0.0.1:{PORT}, socket: {path} }}")
    assert reload(program) == "reloaded: 1 route unchanged; changed besides: admin"
    assert ask(container, "/healthz").status == ask(container, "/healthz", path).status == 200
    file.set(route(8080, 8000, "web"), admin="{ listen: 9902, allow: [127.0.0.1] }")
    reload(program)
    assert ask(container, "/healthz", port=9902).status == 200
    assert ask(outside, "/healthz", Cable.CONTAINER, 9902).status == 403
    assert not container.listens_on(PORT) and not os.path.exists(path)
    file.set(route(8080, 8000, "web"), admin="{ listen: 9902, allow: none }")
    reload(program)
    assert ask(outside, "/healthz", Cable.CONTAINER, 9902).status == 200
    # A mistake changes nothing.
    file.replace("admin: { listen: 9903 }\nroutes: []\nsurely: wrong\n")
    program.signal(signal.SIGHUP)
    program.wait_for_message("not reloaded")
    found = metrics(container, port=9902)
    assert found["loopbridge_last_reload_successful"] == 0
    assert found['loopbridge_reloads_total{result="success"}'] == 3
    assert found['loopbridge_reloads_total{result="failure"}'] == 1
    file.set(route(8080, 8000, "web"))
    reload(program)
    assert listening_ports(container) == {8080}


def test_a_reload_trades_ports_with_a_route(container, outside, reloadable):
    program, file = reloadable(route(8080, 8000, "web"), admin=f"{{ listen: {PORT} }}")
    file.set(route(PORT, 8000, "web"), admin="{ listen: 8080 }")
    reload(program)

    def is_admin(port):
        try:
            return ask(container, "/healthz", port=port).status == 200
        except OSError:
            return False

    def is_route(port):
        try:
            with connect(outside, Cable.CONTAINER, port) as client:
                client.sendall(b"x")
                return client.recv(1) == b"x"
        except OSError:
            return False

    wait_until(lambda: is_admin(8080), "the admin port has the route's")
    with App(container, echo):
        # The admin port may be the one that listens there for a moment more.
        wait_until(lambda: is_route(PORT), "the route has the admin port's")


def test_a_reload_waits_for_a_port_that_is_taken(container, reloadable):
    program, file = reloadable(route(8080, 8000, "web"))
    with App(container, echo, port=PORT):
        file.set(route(8080, 8000, "web"), admin=f"{{ listen: 127.0.0.1:{PORT} }}")
        reload(program)
        line = program.wait_for_message("the admin port cannot listen on")
        assert line["level"] == "error"
    program.wait_for_message("serving the admin port at", limit=15)
    assert ask(container, "/healthz").status == 200
