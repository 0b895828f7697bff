"""Sockets that somebody else keeps for us (LISTEN_FDS), and the notifications for whoever started us (NOTIFY_SOCKET)."""

import os
import shutil
import signal
import socket
import threading
import time

import pytest

from support.apps import App, echo, greets
from support.configuration import ConfigurationFile, route
from support.http import Client, HTTPApp, answers, get, ok
from support.service import Activated, Manager
from support.settings import RESTARTS
from support.sockets import LOOPBACK, connect, read_exactly, read_to_end
from support.waiting import wait_until

CANNOT_LISTEN = 71


@pytest.fixture
def activated(container):
    """Starts loopbridge with sockets, and sees to its end."""
    running = []

    def start(sockets, *arguments, wait=True, **options):
        program = Activated(container, sockets, *arguments, **options)
        running.append(program)
        if wait:
            program.wait_until_listening()
        return program

    yield start
    try:
        for program in running:
            if program.code is None:
                program.end()
            program.assert_clean(codes=(program.code,) if program.code == CANNOT_LISTEN else (0,))
    finally:
        for program in running:
            program.kill()


def listener(container, address=LOOPBACK, port=8080, listens=True, kind=socket.SOCK_STREAM, dual=False):
    """A socket as a socket unit makes it."""
    if address.startswith(("/", "\0")):
        new = container.socket(socket.AF_UNIX, kind)
        new.bind(address)
    else:
        new = container.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
        if new.family == socket.AF_INET6:
            new.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if dual else 1)
        new.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        new.bind((address, port))
    if listens and kind == socket.SOCK_STREAM:
        new.listen(4096)
    return new


def answer(container, address=LOOPBACK, port=8080):
    with connect(container, address, port) as client:
        client.sendall(b"hello")
        return read_to_end(client)


def refusal(program):
    assert program.wait() == CANNOT_LISTEN, program.describe()
    return "\n".join(entry["message"] for entry in program.log if entry["level"] == "error")


# Which socket is whose


@pytest.mark.parametrize("listen, names", [
    ("systemd", None), ("systemd", ["web"]), ("systemd:web", ["web"]), ("systemd:unknown", None),
    ("127.0.0.1:8080", None), ("127.0.0.1:8080", ["web"]),
])
def test_takes_it_by_name_or_by_address(container, activated, listen, names):
    with listener(container) as kept, App(container, greets(b"")):
        program = activated([kept], f"{listen}:8000", names=names)
        assert program.wait_for_message("listening on 127.0.0.1:8080")
        for _ in range(20):
            assert answer(container) == (b" hello", None)
        assert program.terminate() == 0
        # It is still there, for the next one.
        with connect(container, LOOPBACK, 8080):
            pass


def test_several_sockets_and_routes(container, activated, tmp_path):
    """Two of one name, one by its path, one by its address on both families, and one that is nobody's."""
    path = str(tmp_path / "web.sock")
    file = ConfigurationFile(
        tmp_path, route("systemd:web", 8000, "web"), route(f"[unix:{path}, 8090]", 8001, "api"))
    sockets = [
        listener(container), listener(container, port=8081), listener(container, path),
        listener(container, "::", 8090, dual=True), listener(container, port=8099)]
    with App(container, greets(b"web")), App(container, greets(b"api"), port=8001):
        program = activated(
            sockets, "--config", file.path, "--workers", "2", names=["web", "web", "local", "both", "spare"])
        for port in (8080, 8081):
            assert answer(container, port=port) == (b"web hello", None)
        assert answer(container, path) == (b"api hello", None)
        assert answer(container, "::1", 8090) == (b"api hello", None)
        assert answer(container, LOOPBACK, 8090) == (b"api hello", None)
        assert program.wait_for_closed(count=5)["client"].startswith("127.0.0.1:")
        assert program.wait_for_message("spare (127.0.0.1:8099) is used by no route")
        assert program.terminate() == 0
    assert os.path.exists(path), "the file belongs to whoever made it"
    for sock in sockets:
        sock.close()


@pytest.mark.parametrize("make, arguments, options, words", [
    (listener, ["systemd:api:8000"], {"names": ["web"]}, ["systemd:api", "web (127.0.0.1:8080)"]),
    (listener, ["systemd:web:8000"], {"pid": "1"}, ["LISTEN_PID"]),
    (None, ["systemd:8000"], {}, ["LISTEN_FDS is not set"]),
    (lambda container: listener(container, listens=False), ["systemd:8000"], {}, ["listen(2)"]),
    (lambda container: listener(container, kind=socket.SOCK_DGRAM), ["systemd:8000"], {}, ["datagrams"]),
    (lambda container: listener(container, "\0seq", kind=socket.SOCK_SEQPACKET), ["systemd:8000"], {}, ["no TCP or Unix"]),
    (lambda container: open("/dev/null"), ["systemd:8000"], {}, ["no TCP or Unix"]),
])
def test_says_what_is_wrong(container, activated, make, arguments, options, words):
    sockets = [make(container)] if make else []
    program = activated(sockets, *arguments, wait=False, **options)
    said = refusal(program)
    assert all(word in said for word in words), said
    for sock in sockets:
        sock.close()


def test_a_reload_moves_a_socket_to_another_route(container, activated, tmp_path):
    file = ConfigurationFile(tmp_path, route("systemd:web", 8000, "a"))
    with listener(container) as kept, App(container, greets(b"0")), App(container, greets(b"1"), port=8001):
        program = activated([kept], "--config", file.path, names=["web"])
        assert answer(container) == (b"0 hello", None)
        file.set(route("systemd:web", 8001, "b"))
        program.signal(signal.SIGHUP)
        program.wait_for_message("reloaded: ")
        assert answer(container) == (b"1 hello", None)
        file.set(route("systemd:other", 8001, "b"))
        program.signal(signal.SIGHUP)
        assert "no socket of this name" in program.wait_for_message("cannot listen on systemd:other")["message"]


# Nobody is lost


class Load:
    """Clients that come one after the other, on several threads, until they are told to stop."""

    def __init__(self, visit, threads=4):
        self.failures, self.count = [], 0
        self._visit, self._stop = visit, threading.Event()
        self._threads = [threading.Thread(target=self._come, daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def _come(self):
        while not self._stop.is_set():
            try:
                self._visit()
                self.count += 1
            except Exception as failure:
                self.failures.append(repr(failure))

    def end(self):
        self._stop.set()
        for thread in self._threads:
            thread.join(15)


@pytest.mark.parametrize("protocol, where", [("tcp", LOOPBACK), ("tcp", "unix"), ("http", LOOPBACK)])
def test_restarts_lose_no_connection(container, tmp_path, protocol, where):
    """Somebody keeps the socket; each loopbridge that takes over serves who has come meanwhile."""
    address = str(tmp_path / "web.sock") if where == "unix" else where
    kept = listener(container, address)

    def visit():
        if protocol == "tcp":
            assert answer(container, address) == (b" hello", None)
        else:
            with Client(container, address) as client:
                assert client.ask(get("/", b"Connection: close\r\n")).status == 200

    app = App(container, greets(b"")) if protocol == "tcp" else HTTPApp(container, answers(ok(b"hello")))
    with app:
        program = Activated(container, [kept], "--workers", "2", f"systemd:8000/{protocol}")
        load = None
        try:
            program.wait_until_listening()
            load = Load(visit)
            for _ in range(RESTARTS):
                seen = load.count
                wait_until(lambda: load.count > seen + 100 or load.failures, "clients come")
                assert program.terminate() == 0
                program.assert_clean()
                program.kill()
                program = Activated(container, [kept], "--workers", "2", f"systemd:8000/{protocol}")
                program.wait_until_listening()
        finally:
            if load:
                load.end()
            program.end()
            program.kill()
            kept.close()
    print(f"{load.count} connections over {RESTARTS} restarts, {len(load.failures)} failed")
    assert not load.failures, load.failures[:5]


def test_who_waits_at_the_end_is_left_to_the_next(container, activated):
    """Here nobody is there to accept them for a while, and the sockets are whole all the same."""
    with listener(container) as kept, App(container, echo):
        first = activated([kept], "--max-connections", "1", "systemd:8000")
        with connect(container, LOOPBACK, 8080) as served, connect(container, LOOPBACK, 8080) as waiting:
            served.sendall(b"x")
            assert read_exactly(served, 1) == b"x"
            waiting.sendall(b"y")
            first.signal(signal.SIGTERM)
            first.wait_for_message("closing the listeners")
            served.close()
            assert first.wait() == 0
            activated([kept], "systemd:8000")
            assert read_exactly(waiting, 1) == b"y"


def test_newcomers_have_a_moment_for_their_first_words(container, activated):
    with listener(container) as kept, HTTPApp(container, answers(ok(b"hello"))):
        first = activated([kept], "systemd:8000/http")
        with Client(container, LOOPBACK) as old, Client(container, LOOPBACK) as newcomer:
            assert old.ask(get()).status == 200
            first.signal(signal.SIGTERM)
            first.wait_for_message("closing the listeners")
            # For the case that nobody had accepted it yet.
            activated([kept], "systemd:8000/http")
            assert newcomer.ask(get()).status == 200
        assert first.wait() == 0


# systemd's own


@pytest.mark.skipif(not shutil.which("systemd-socket-activate"), reason="there is no systemd-socket-activate")
@pytest.mark.parametrize("where", [LOOPBACK, "unix"])
def test_systemd_socket_activate(container, loopbridge, tmp_path, where):
    address = str(tmp_path / "web.sock") if where == "unix" else where
    name = address if where == "unix" else f"{address}:8080"
    # It passes no other variable; these are for a sanitized program.
    passed = [f"-E{name}" for name in ("ASAN_OPTIONS", "TSAN_OPTIONS") if name in os.environ]
    program = loopbridge(
        "systemd:web:8000", wait=False, wrapper=["systemd-socket-activate", "-l", name, "--fdname=web", *passed])
    wait_until(lambda: any("Listening on" in line for line in program.noise), "it listens")
    with App(container, greets(b"")):
        for _ in range(3):
            assert answer(container, address) == (b" hello", None)
    assert program.terminate() == 0
    program.noise.clear()


# Notifications


@pytest.mark.parametrize("abstract", [False, True])
def test_notifies(container, loopbridge, tmp_path, abstract):
    file = ConfigurationFile(tmp_path, route(8080, 8000))
    # An abstract name belongs to a network namespace.
    name = f"@loopbridge-test-{os.getpid()}" if abstract else str(tmp_path / "notify.sock")
    with container.entered():
        manager = Manager(name)
    with manager:
        program = loopbridge("--config", file.path, environment={"NOTIFY_SOCKET": name})
        assert manager.wait_for("READY=1")["STATUS"] == "1 route"
        file.set(route(8080, 8000), route(8081, 8000))
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        program.signal(signal.SIGHUP)
        assert int(manager.wait_for("RELOADING=1")["MONOTONIC_USEC"]) >= before
        assert manager.wait_for("READY=1")["STATUS"] == "2 routes"
        file.replace("routes: x")
        program.signal(signal.SIGHUP)
        manager.wait_for("RELOADING=1")
        manager.wait_for("READY=1")
        assert program.terminate() == 0
        manager.wait_for("STOPPING=1")
        assert [message for message in manager.heard if "WATCHDOG" in message] == []


def test_feeds_the_watchdog_only_while_it_works(container, loopbridge, tmp_path):
    name = str(tmp_path / "notify.sock")
    with Manager(name) as manager, App(container, echo):
        program = loopbridge("127.0.0.1:8080:8000", environment={"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "200000"})
        with connect(container, LOOPBACK, 8080) as client:
            client.sendall(b"x")
            assert read_exactly(client, 1) == b"x"
            for _ in range(3):
                manager.wait_for("WATCHDOG=1")
            assert manager.wait_for("WATCHDOG=1")["STATUS"] == "1 route, 1 client"
        program.signal(signal.SIGSTOP)
        try:
            assert manager.is_silent(0.5)
        finally:
            program.signal(signal.SIGCONT)
        manager.wait_for("WATCHDOG=1")


def test_another_ones_watchdog(container, loopbridge, tmp_path):
    name = str(tmp_path / "notify.sock")
    with Manager(name) as manager:
        loopbridge("8080:8000", environment={"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"})
        manager.wait_for("READY=1")
        assert manager.is_silent(0.1)


def test_without_a_listener_it_goes_on(loopbridge, tmp_path):
    program = loopbridge("8080:8000", environment={"NOTIFY_SOCKET": str(tmp_path / "nobody.sock")})
    assert program.wait_for_message("cannot tell the service manager")


def test_the_app_is_told_nothing(container, run, tmp_path):
    """`run` is the service; its child gets neither sockets nor the manager's address."""
    name, seen = str(tmp_path / "notify.sock"), tmp_path / "seen"
    with Manager(name) as manager:
        program = run(
            ["/bin/sh", "-c", f"env > {seen}.new; ls /proc/self/fd | wc -l >> {seen}.new; mv {seen}.new {seen}; exec sleep 60"],
            "127.0.0.1:8080:8000",
            environment={"NOTIFY_SOCKET": name, "LISTEN_PID": "1", "LISTEN_FDS": "1", "WATCHDOG_USEC": "3000000"})
        manager.wait_for("READY=1")
        wait_until(seen.exists, "the child has looked")
        assert not [word for word in ("NOTIFY_SOCKET", "LISTEN_", "WATCHDOG") if word in seen.read_text()]
        assert program.is_running
