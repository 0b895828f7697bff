"""Upgrade: after 101 the two connections are a relay; every other upgrade is left out."""

import json

import pytest

from support.http import Client, HTTPApp, get, ok
from support.sockets import read_to_end, reset

WANTS = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n"
SWITCHES = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"


@pytest.fixture
def bridge(loopbridge):
    return loopbridge("--workers", "1", "8080:8000/http")


def switch(app, client, early=b"", more=b""):
    """Switches to another protocol; returns the app's connection."""
    client.send(get("/socket", WANTS) + early)
    request = app.next_request()
    assert request[b"upgrade"] == b"websocket"
    assert request[b"connection"].lower() == b"upgrade"
    assert request[b"sec-websocket-key"] == b"x"
    request.connection.sendall(SWITCHES + more)
    response = client.response()
    assert response.status == 101
    assert response[b"upgrade"] == b"websocket"
    assert response[b"connection"].lower() == b"upgrade"
    return request


def test_bytes_go_both_ways(container, outside, bridge):
    with HTTPApp(container) as app, Client(outside) as client:
        request = switch(app, client)
        for number in range(100):
            client.send(b"ping %03d" % number)
            assert request.reader.exactly(8) == b"ping %03d" % number
            request.connection.sendall(b"pong %03d" % number)
            assert client._reader.exactly(8) == b"pong %03d" % number
        big = bytes(3_000_000)
        request.connection.sendall(big)
        assert client._reader.exactly(len(big)) == big
        request.done(close=True)
        assert client.rest() == b""
        client.close()
        entry = bridge.wait_for_request()
        assert (entry["status"], entry["end"]) == (101, "finished")
        assert entry["to_client"] >= len(big)


def test_what_comes_together_with_the_switch(container, outside, bridge):
    """The app's first words in the segment of its 101, and the client's behind its request."""
    with HTTPApp(container) as app, Client(outside) as client:
        request = switch(app, client, early=b"impatient", more=b"welcome")
        assert client._reader.exactly(7) == b"welcome"
        assert request.reader.exactly(9) == b"impatient"
        request.done(close=True)


def test_after_other_requests(container, outside, bridge):
    with HTTPApp(container) as app, Client(outside) as client:
        client.send(get())
        app.next_request().answer(ok())
        assert client.response().status == 200
        request = switch(app, client)
        assert request.number == 0
        client.send(b"x")
        assert request.reader.exactly(1) == b"x"
        request.done(close=True)


def test_the_app_says_no(container, outside, bridge):
    with HTTPApp(container) as app, Client(outside) as client:
        client.send(get("/socket", WANTS))
        app.next_request().answer(ok(b"no", status=b"426 Upgrade Required"))
        assert client.response().status == 426
        client.send(get())
        request = app.next_request()
        assert request.number == 0
        request.answer(ok())
        assert client.response().status == 200


def test_a_reset_is_carried_across(container, outside, bridge):
    with HTTPApp(container) as app, Client(outside) as client:
        request = switch(app, client)
        reset(request.connection)
        request.done(close=True)
        assert isinstance(read_to_end(client.connection)[1], ConnectionResetError)


def test_other_protocols_are_left_out(container, outside, bridge):
    with HTTPApp(container) as app, Client(outside) as client:
        client.send(get("/", b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"))
        request = app.next_request()
        assert request[b"upgrade"] is None and request[b"http2-settings"] is None
        assert request[b"connection"] is None
        request.answer(ok(b"plain"))
        assert client.response().body == b"plain"


def test_a_switch_that_nobody_asked_for(container, outside, bridge):
    with HTTPApp(container) as app, Client(outside) as client:
        client.send(get())
        app.next_request().answer(SWITCHES)
        response = client.response()
        assert response.status == 502
        assert "nobody has asked" in json.loads(response.body)["error"]
