"""Clients and apps that take too long over HTTP."""

import json
import select
import time

import pytest

from support.configuration import ConfigurationFile, route
from support.http import Client, HTTPApp, answers, get, ok
from support.namespaces import Cable
from support.sockets import connect


@pytest.fixture
def bridge(loopbridge, tmp_path):
    def start(**settings):
        keys = "{ " + ", ".join(f"{key}: {value}" for key, value in settings.items()) + " }"
        file = ConfigurationFile(tmp_path, route("8080", "localhost:8000", protocol="http", http=keys), workers=1)
        return loopbridge("--config", file.path)
    return start


def test_a_head_that_does_not_end(container, outside, bridge):
    bridge(head_timeout="300ms")
    with HTTPApp(container) as app, Client(outside) as client:
        started = time.monotonic()
        response = client.ask(b"GET / HTTP/1.1\r\nHost: a\r\n")
        assert response.status == 408
        assert client.rest() == b""
        assert 0.25 < time.monotonic() - started < 5
        assert not app.has_request()


def test_a_head_that_comes_drop_by_drop(container, outside, bridge):
    bridge(head_timeout="500ms")
    with Client(outside) as client:
        started = time.monotonic()
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ")
        while not select.select([client.connection], [], [], 0.02)[0]:
            assert time.monotonic() - started < 10
            client.send(b"y")
        assert client.response().status == 408


def test_a_client_that_says_nothing(container, outside, bridge):
    bridge(head_timeout="300ms")
    with Client(outside) as client:
        assert client.rest() == b""


def test_an_idle_connection_is_closed(container, outside, bridge):
    bridge(keep_alive_timeout="300ms")
    with HTTPApp(container, answers(ok())), Client(outside) as client:
        assert client.ask(get()).status == 200
        assert client.rest() == b""


def test_a_body_that_does_not_go_on(container, outside, bridge):
    bridge(body_timeout="300ms")
    with HTTPApp(container, reads_body=False) as app, Client(outside) as client:
        client.send(get("/", b"Content-Length: 10\r\n", "POST") + b"abc")
        request = app.next_request()
        response = client.response()
        assert response.status == 408
        with pytest.raises(ConnectionResetError):
            request.reader.exactly(10)
        request.done(close=True)


def test_an_app_that_does_not_answer(container, outside, bridge):
    bridge(response_timeout="300ms")
    with HTTPApp(container) as app, Client(outside) as client:
        client.send(get())
        request = app.next_request()
        response = client.response()
        assert response.status == 504
        assert "did not answer within 300ms" in json.loads(response.body)["error"]
        with pytest.raises(ConnectionResetError):
            request.connection.recv(1)
        request.done(close=True)


def test_an_app_that_is_slow_in_its_body_is_waited_for(container, outside, bridge):
    bridge(response_timeout="200ms", body_timeout="200ms", head_timeout="200ms", keep_alive_timeout="200ms")
    with HTTPApp(container) as app, Client(outside) as client:
        client.send(get())
        request = app.next_request()
        request.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")
        for byte in b"abc":
            time.sleep(0.3)  # longer than any of the timeouts
            request.connection.sendall(bytes([byte]))
        assert client.response().body == b"abc"
        request.done()


@pytest.mark.load
def test_a_thousand_slow_heads_keep_nobody_waiting(container, outside, bridge):
    program = bridge(head_timeout="20s")
    with HTTPApp(container, answers(ok(b"hi"))) as app:
        slow = []
        for _ in range(1000):
            client = connect(outside, Cable.CONTAINER, 8080)
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX-")
            slow.append(client)
        with Client(outside) as good:
            started = time.monotonic()
            for _ in range(100):
                assert good.ask(get()).body == b"hi"
                for client in slow[:10]:
                    client.sendall(b"y")
            assert time.monotonic() - started < 5
        assert app.accepted == 1
        for client in slow:
            client.close()
        assert program.is_running


@pytest.mark.load
def test_bodies_that_drip_keep_nobody_waiting(container, outside, bridge):
    bridge()

    def serve(request):
        if request.line == b"GET / HTTP/1.1":
            return request.connection.sendall(ok(b"hi"))
        request.reader.rest()

    with HTTPApp(container, serve, reads_body=False):
        slow = []
        for _ in range(200):
            client = connect(outside, Cable.CONTAINER, 8080)
            client.sendall(get("/slow", b"Content-Length: 1000\r\n", "POST") + b"x")
            slow.append(client)
        with Client(outside) as good:
            started = time.monotonic()
            for _ in range(50):
                assert good.ask(get()).body == b"hi"
                for client in slow:
                    client.sendall(b"y")
            assert time.monotonic() - started < 10
        for client in slow:
            client.close()
