"""Listening on a Unix socket: its file, who may connect, and who is said to have come."""

import os
import signal
import socket
import stat
import threading

import pytest

from support.apps import App, echo, greets
from support.configuration import ConfigurationFile, route
from support.http import Client, HTTPApp, get, ok
from support.loopbridge import Loopbridge, run_to_end
from support.reloading import reload, reloadable
from support.sockets import connect, read_exactly, read_to_end
from support.waiting import wait_until

CANNOT_LISTEN = 71


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "web.sock")


def answers(container, path):
    """Returns the bytes that a client of this path gets from the app."""
    with connect(container, path) as client:
        client.sendall(b"hello")
        return read_to_end(client)[0]


def refusal(program):
    assert program.code == CANNOT_LISTEN, program.describe()
    return "\n".join(entry["message"] for entry in program.log if entry["level"] == "error")


def leave_dead_socket(path):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(path)
        dead.listen()


@pytest.mark.parametrize("name", ["web.sock", "@web"])
@pytest.mark.parametrize("app", ["/app.sock", "\0app", "127.0.0.1"])
def test_bytes_and_ends(container, loopbridge, tmp_path, name, app):
    """Files and abstract names, on both sides."""
    listen = name if name.startswith("@") else str(tmp_path / name)
    app = str(tmp_path) + app if app.startswith("/") else app
    upstream = "8000" if app[0] == "1" else "unix:" + app.replace("\0", "@")
    program = loopbridge(f"unix:{listen}:{upstream}")
    with App(container, echo, address=app), connect(container, listen.replace("@", "\0")) as client:
        client.sendall(b"request" * 100_000)
        client.shutdown(socket.SHUT_WR)
        assert read_to_end(client) == (b"request" * 100_000, None)
    line = program.wait_for_closed()
    assert line["client"] == "unix:"
    assert (line["peer_pid"], line["peer_uid"]) == (os.getpid(), os.getuid())
    assert line["end"] == "finished"


def test_waits_for_an_abstract_upstream(container, loopbridge):
    program = loopbridge("unix:@web:unix:@app")
    assert program.messages("nobody listens yet")
    with connect(container, "\0web") as client:
        client.sendall(b"request")
        client.shutdown(socket.SHUT_WR)
        with App(container, echo, address="\0app"):
            assert read_to_end(client) == (b"request", None)


def test_everybody_is_accepted_once_whichever_worker_is_first(container, loopbridge, path):
    """All workers accept on one socket, and that the others come in vain takes no place from anybody.

    A place is given back a moment after the end is logged, so that some may be taken.
    """
    program = loopbridge("--workers", "8", "--max-connections", "4", f"unix:{path}:8000")
    with App(container, greets(b"")) as app:
        for number in range(100):
            assert answers(container, path) == b" hello", number
            program.wait_for_closed(count=number + 1)
        clients = [connect(container, path) for _ in range(40)]
        for client in clients:
            client.sendall(b"hello")
            client.shutdown(socket.SHUT_WR)
        assert [read_to_end(client) for client in clients] == [(b" hello", None)] * 40
        assert app.accepted == 140
        for client in clients:
            client.close()
    before = [line for line in program.log[:program.log.index(program.closed()[99])] if "max_conn" in line["message"]]
    assert not before


# Its file


@pytest.mark.parametrize("mask", [0o000, 0o077])
@pytest.mark.parametrize("listen, expected", [
    ("unix:{path}", (0o660, 0, 0)),
    ('{{ unix: "{path}", mode: "0666" }}', (0o666, 0, 0)),
    ('{{ unix: "{path}", mode: "0600", owner: nobody }}', (0o600, 65534, 0)),
    ('{{ unix: "{path}", group: www-data }}', (0o660, 0, 33)),
    ('{{ unix: "{path}", owner: 4711, group: 4712 }}', (0o660, 4711, 4712)),
])
def test_mode_and_owner(reloadable, path, mask, listen, expected):
    """From the first moment on, whatever the umask."""
    modes, stop = set(), threading.Event()

    def look():
        while not stop.is_set():
            try:
                modes.add(stat.S_IMODE(os.stat(path).st_mode))
            except FileNotFoundError:
                pass

    watching = threading.Thread(target=look, daemon=True)
    watching.start()
    before = os.umask(mask)
    try:
        program, _ = reloadable(route(listen.format(path=path), 8000))
    finally:
        os.umask(before)
    stop.set()
    watching.join(5)
    status = os.stat(path)
    assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == expected
    assert modes <= {expected[0]}
    assert program.terminate() == 0
    assert not os.path.exists(path)


@pytest.mark.parametrize("keys, words", [
    ("owner: nobody-of-this-name", ["no user 'nobody-of-this-name'", "/etc/passwd"]),
    ("group: nobody-of-this-name", ["no group 'nobody-of-this-name'", "/etc/group"]),
])
def test_unknown_accounts(container, tmp_path, path, keys, words):
    file = ConfigurationFile(tmp_path, route(f'{{ unix: "{path}", {keys} }}', 8000))
    said = refusal(run_to_end(container, "--config", file.path))
    assert all(word in said for word in words), said
    assert not os.path.exists(path)


def test_giving_it_away_without_the_right_to(container, tmp_path, path):
    """Nothing is left behind."""
    os.chmod(tmp_path, 0o777)
    file = ConfigurationFile(tmp_path, route(f'{{ unix: "{path}", owner: root }}', 8000))
    for folder in tmp_path.parents:
        if str(folder).startswith("/tmp/"):
            os.chmod(folder, os.stat(folder).st_mode | 0o011)
    said = refusal(run_to_end(
        container, "--config", file.path, wrapper=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]))
    assert "CAP_CHOWN" in said, said
    assert not os.path.exists(path)


# A file that is there already


def test_replaces_a_dead_socket_and_removes_its_own(container, loopbridge, path):
    leave_dead_socket(path)
    program = loopbridge(f"unix:{path}:8000")
    with App(container, greets(b"")):
        assert answers(container, path) == b" hello"
    assert program.terminate() == 0
    assert not os.path.exists(path)


def test_replaces_what_a_killed_one_has_left(container, path):
    first = Loopbridge(container, f"unix:{path}:8000")
    try:
        first.wait_until_listening()
        os.kill(first.pid, signal.SIGKILL)
        first.process.wait(10)
    finally:
        first.kill()
    assert os.path.exists(path)
    second = Loopbridge(container, f"unix:{path}:8000")
    try:
        second.wait_until_listening()
        assert second.terminate() == 0
    finally:
        second.kill()
    assert not os.path.exists(path)


@pytest.mark.parametrize("name", ["web.sock", "@web"])
def test_a_live_one_stays_and_is_named(container, loopbridge, tmp_path, name):
    listen = name if name.startswith("@") else str(tmp_path / name)
    first = loopbridge(f"unix:{listen}:8000")
    said = refusal(run_to_end(container, f"unix:{listen}:8000"))
    assert f"unix:{listen}" in said and f"loopbridge (pid {first.pid}) listens there" in said, said
    with App(container, greets(b"")):
        assert answers(container, listen.replace("@", "\0")) == b" hello"


@pytest.mark.parametrize("what, words", [
    ("file", "a plain file is in the way"), ("link", "a symbolic link is in the way"),
    ("dangling", "a symbolic link is in the way"), ("folder", "a folder is in the way"),
    ("pipe", "a named pipe is in the way"),
])
def test_what_is_no_socket_stays(container, tmp_path, path, what, words):
    target = str(tmp_path / "target.sock")
    if what == "file":
        open(path, "w").close()
    elif what == "folder":
        os.mkdir(path)
    elif what == "pipe":
        os.mkfifo(path)
    else:
        if what == "link":
            leave_dead_socket(target)
        os.symlink(target, path)
    before = os.lstat(path)
    said = refusal(run_to_end(container, f"unix:{path}:8000"))
    assert words in said, said
    assert os.lstat(path).st_ino == before.st_ino
    assert os.path.exists(target) == (what == "link")


def test_folders_that_do_not_take_it(container, tmp_path):
    assert "there is no folder /nowhere" in refusal(run_to_end(container, "unix:/nowhere/web.sock:8000"))
    said = refusal(run_to_end(
        container, "unix:/etc/web.sock:8000",
        wrapper=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]))
    assert "permission denied" in said, said


def test_another_ones_file_is_not_removed_at_the_end(loopbridge, path):
    program = loopbridge(f"unix:{path}:8000")
    os.unlink(path)
    leave_dead_socket(path)
    number = os.stat(path).st_ino
    assert program.terminate() == 0
    assert os.stat(path).st_ino == number


def test_only_one_of_many_gets_the_path(container, path):
    """They race for it over a dead socket: one has it, the others say so."""
    for _ in range(2):
        leave_dead_socket(path)
        programs = [Loopbridge(container, "--workers", "1", f"unix:{path}:8000") for _ in range(4)]
        try:
            wait_until(lambda: sum(program.is_running for program in programs) == 1, "all but one have ended")
            winner = next(program for program in programs if program.is_running)
            winner.wait_until_listening()
            for program in programs:
                if program is not winner:
                    program.wait()
                    assert "listens there" in refusal(program)
            with App(container, greets(b"")):
                assert answers(container, path) == b" hello"
            assert winner.terminate() == 0
        finally:
            for program in programs:
                program.kill()
        assert not os.path.exists(path)


# Reloads


def test_a_reload_adds_keeps_changes_and_removes(container, reloadable, tmp_path):
    a, b = str(tmp_path / "a.sock"), str(tmp_path / "b.sock")
    program, file = reloadable(route(f"unix:{a}", 8000, "a"))
    kept = os.stat(a).st_ino
    with App(container, greets(b"0")), App(container, greets(b"1"), port=8001):
        file.set(route(f"unix:{a}", 8001, "a", hold="1s"), route(f"unix:{b}", 8000, "b"))
        reload(program)
        assert os.stat(a).st_ino == kept
        assert (answers(container, a), answers(container, b)) == (b"1 hello", b"0 hello")

        file.set(route(f'{{ unix: "{a}", mode: "0600" }}', 8001, "a"), route(f"unix:{b}", 8000, "b"))
        reload(program)
        assert stat.S_IMODE(os.stat(a).st_mode) == 0o600
        assert answers(container, a) == b"1 hello"

        with connect(container, b) as client:
            client.sendall(b"h")
            assert read_exactly(client, 1) == b"0"
            file.set(route(f"unix:{a}", 8001, "a"))
            reload(program)
            assert not os.path.exists(b)
            client.sendall(b"ello")
        assert answers(container, a) == b"1 hello"


def test_a_path_that_a_reload_cannot_have_is_tried_again(container, reloadable, tmp_path):
    a, b = str(tmp_path / "a.sock"), str(tmp_path / "b.sock")
    program, file = reloadable(route(f"unix:{a}", 8000, "a"))
    os.mkdir(b)
    file.set(route(f"unix:{a}", 8000, "a"), route(f"unix:{b}", 8000, "b"))
    reload(program)
    program.wait_for_message("a folder is in the way")
    os.rmdir(b)
    with App(container, greets(b"")):
        wait_until(lambda: os.path.exists(b), "it listens")
        assert answers(container, b) == b" hello"


# HTTP


@pytest.mark.parametrize("trusted, seen", [("none", b"unknown"), ("unix", b"192.0.2.7, unknown")])
def test_an_app_is_told_that_nothing_is_known_of_the_client(container, reloadable, path, trusted, seen):
    program, _ = reloadable(
        route(f"unix:{path}", 8000, protocol="http", http=f"{{ trusted_proxies: {trusted} }}"))
    with HTTPApp(container) as app, Client(container, path) as client:
        client.send(get("/", b"X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n"))
        request = app.next_request()
        assert request[b"x-forwarded-for"] == seen
        assert request[b"x-forwarded-proto"] == (b"https" if trusted == "unix" else b"http")
        if trusted == "none":
            assert request[b"forwarded"] == b'for=unknown;host=example.test;proto=http'
        request.answer(ok(b"hello"))
        assert client.response().body == b"hello"
        assert program.wait_for_request()["client"] == "unix:"


# The admin port's socket has the same way of saying no.


def test_the_admin_socket_names_who_has_its_path(container, loopbridge, path):
    first = loopbridge(f"unix:{path}:8000")
    second = loopbridge("8081:8000", "--admin-socket", path)
    line = second.wait_for_message("no admin port at")
    assert f"loopbridge (pid {first.pid}) listens there" in line["reason"]
