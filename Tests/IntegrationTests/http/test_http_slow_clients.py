"""A thousand clients that send a byte of their request now and then keep nobody else waiting, and go after a while."""

import time

import pytest

from support.actors.visitor import Visitor
from support.apps import App
from support.namespaces import Cable
from support.programs.web_apps import http_route
from support.settings import IS_RELEASE
from support.sockets import connect, read_to_end

MIB = 1 << 20
CLIENTS = 1000
HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Padding: " + b"x" * 4000
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"


def serve_one_at_a_time(connection):
    """As a server with one thread would: whoever connects and sends nothing blocks it."""
    connection.settimeout(20)
    received = b""
    while part := connection.recv(65536):
        received += part
        while b"\r\n\r\n" in received:
            received = received.partition(b"\r\n\r\n")[2]
            connection.sendall(ANSWER)


@pytest.mark.load
@pytest.mark.limit(120)
def test_slow_heads_keep_nobody_waiting(container, outside, loopbridge, tmp_path):
    program = loopbridge(*http_route(tmp_path, head_timeout="6s"))
    with App(container, serve_one_at_a_time) as app:
        slow = [connect(outside, Cable.CONTAINER, 8080) for _ in range(CLIENTS)]
        sent, longest, answered = 0, 0.0, 0
        until = time.monotonic() + 4
        with Visitor(outside) as visitor:
            while time.monotonic() < until:
                for client in slow[sent % 10::10]:
                    client.send(HEAD[sent // 10:sent // 10 + 1])
                sent += 1
                started = time.monotonic()
                assert visitor.get("/").text == "good"
                longest, answered = max(longest, time.monotonic() - started), answered + 1
            assert visitor.connection.opened == 1
        print(f"{answered} answers, the longest after {longest * 1000:.1f} ms; {program.memory('VmRSS') / MIB:.1f} MiB")
        assert longest < 2
        # The app met whole requests only, and so not one of the others.
        assert app.accepted == 1
        if IS_RELEASE:
            assert program.memory("VmHWM") < 32 * MIB

        # Their time is up for the whole head, however often they say something.
        answer, _ = read_to_end(slow[0])
        assert answer.startswith(b"HTTP/1.1 408 ")
        for client in slow[1:]:
            assert read_to_end(client)[0].startswith(b"HTTP/1.1 408 ")
            client.close()
        assert app.accepted == 1
