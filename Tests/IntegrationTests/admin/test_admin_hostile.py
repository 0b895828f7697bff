"""Hostile clients of the admin port, and descriptors that run out."""

import socket
import time

import pytest

from support.admin import LISTEN, PATHS, PORT, ask, metrics, unix_socket
from support.apps import App, echo
from support.namespaces import Cable
from support.sockets import connect, read_exactly, read_to_end
from support.waiting import wait_until

GARBAGE = [
    b"\x00\xff\x16\x03\x01" * 100, b"\r\n" * 1000, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\nnonsense\r\n\r\n", b"GET " + b"/" * 100_000 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(20_000)) + b"\r\n",
    b"GET / HTTP/1.1\r\nX: " + b"y" * 1_000_000 + b"\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n" + b"y" * 1_000_000,
    b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"ffff\r\n" + b"y" * 1_000_000,
    b"GET http://[::1 HTTP/1.1\r\n\r\n", b"GET /metrics?" + b"%" * 500 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    b"FROB /metrics HTTP/1.1\r\nHost: a\r\n\r\n", b"CONNECT a:1 HTTP/1.1\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\n\r\n" * 500,
]


@pytest.mark.limit(120)
def test_nonsense_does_no_harm(container, outside, loopbridge):
    program = loopbridge("8080:8000", *LISTEN)
    with App(container, echo), connect(outside, Cable.CONTAINER, 8080) as client:
        for garbage in GARBAGE:
            for leaves_early in (False, True):
                attacker = connect(outside, Cable.CONTAINER, PORT, timeout=15)
                try:
                    attacker.sendall(garbage)
                    if not leaves_early:
                        attacker.shutdown(socket.SHUT_WR)
                        read_to_end(attacker)
                except OSError:
                    pass
                attacker.close()
            client.sendall(b"x")
            assert read_exactly(client, 1) == b"x"
            assert ask(container, "/healthz").text == "ok\n"
    assert not program.messages("cannot accept")


@pytest.mark.limit(120)
def test_slow_clients_take_nothing_from_others(container, outside, loopbridge, tmp_path):
    path = unix_socket(tmp_path)
    program = loopbridge("8080:8000", *LISTEN, "--admin-socket", path)
    before = program.settled_descriptors()
    slow = [connect(outside, Cable.CONTAINER, PORT) for _ in range(40)]
    try:
        for attacker in slow:
            attacker.sendall(b"GET /metr")
        assert ask(container, "/healthz", path).status == 200
        assert program.open_descriptors() <= before + 34
        with App(container, echo), connect(outside, Cable.CONTAINER, 8080) as client:
            client.sendall(b"x")
            assert read_exactly(client, 1) == b"x"

        def drip():
            """A byte now and then, so that no silence ends it."""
            for attacker in slow:
                try:
                    attacker.send(b"i")
                except OSError:
                    pass

        begin = time.monotonic()
        waiting = connect(container, "127.0.0.1", PORT, timeout=1)
        waiting.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        # Those that are there first are given up after a while; then it is somebody else's turn.
        while True:
            drip()
            try:
                assert waiting.recv(100).startswith(b"HTTP/1.1 200")
                break
            except TimeoutError:
                assert time.monotonic() - begin < 60
        waiting.close()
    finally:
        for attacker in slow:
            attacker.close()


def test_clients_that_leave_at_once(container, outside, loopbridge):
    program = loopbridge("8080:8000", *LISTEN)
    before = program.settled_descriptors()
    for number in range(300):
        with connect(outside, Cable.CONTAINER, PORT) as client:
            client.sendall(f"GET {list(PATHS)[number % len(PATHS)]} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    assert ask(container, "/healthz").text == "ok\n"
    wait_until(lambda: program.open_descriptors() <= before + 1, "all are closed")
    assert not metrics(container)["loopbridge_log_lines_dropped_total"]


def test_descriptors_that_run_out(container, outside, loopbridge):
    """With few descriptors the traffic may have all but the admin port's, which goes on answering."""
    program = loopbridge("--hold", "0s", "8080:8000", *LISTEN, wrapper=("prlimit", "--nofile=160:160"))
    with App(container, echo):
        clients = []
        try:
            for _ in range(80):
                clients.append(connect(outside, Cable.CONTAINER, 8080))
                clients[-1].sendall(b"x")
            program.wait_for_message("the limit of open files is reached")
            assert ask(container, "/healthz").text == "ok\n"
            found = metrics(container)
            assert found["process_max_fds"] == 160 and found["process_open_fds"] < 150
        finally:
            for client in clients:
                client.close()
