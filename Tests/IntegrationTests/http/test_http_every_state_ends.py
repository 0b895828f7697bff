"""Whatever an app or a client stops doing, and whenever: no request and no connection outlasts its timeout."""

import socket
import threading

import pytest

from support.admin import metrics
from support.apps import App, AppInHand
from support.configuration import ConfigurationFile, route
from support.http import Client, Reader, get, ok, post
from support.namespaces import Cable
from support.sockets import connect, read_to_end
from support.waiting import wait_until

SOON = "400ms"
SWITCH = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
UPGRADE = get("/", b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: a\r\nSec-WebSocket-Version: 13\r\n")


@pytest.fixture
def bridge(loopbridge, tmp_path):
    def start(upstream="localhost:8000", http="", **settings):
        file = ConfigurationFile(
            tmp_path, route("8080", upstream, "web", protocol="http", http="{ " + http + " }", **settings), workers=1,
            admin='{ listen: "127.0.0.1:9901" }')
        return loopbridge("--config", file.path)
    return start


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "app.sock")


# An app on a Unix socket that shuts its reading side: to send to it is an error, though the connection lives.


def shuts_before_the_head(client, app):
    client.send(get("/first"))
    connection = app.next()
    Reader(connection).head()
    connection.sendall(ok())
    assert client.response().status == 200
    connection.shutdown(socket.SHUT_RD)
    client.send(get())
    return connection


def shuts_within_the_body(client, app):
    def send():
        try:
            client.send(post(bytes(8 << 20)))
        except OSError as error:
            client.send_error = error

    client.sender = threading.Thread(target=send, daemon=True)
    client.sender.start()
    connection = app.next()
    connection.recv(1000)
    connection.shutdown(socket.SHUT_RD)
    return connection


def swallow(action):
    try:
        action()
    except OSError:
        pass


@pytest.mark.parametrize("shuts,begun", [
    (shuts_before_the_head, b""), (shuts_within_the_body, b""), (shuts_within_the_body, b"HTTP/1.1 20"),
    (shuts_within_the_body, b"HTTP/1.1 103 Early Hints\r\n\r\n"),
], ids=["before the head", "within the body", "after a part of the answer", "after a hint"])
def test_an_app_that_takes_no_more_and_says_no_more(container, outside, bridge, path, shuts, begun):
    bridge(f"unix:{path}", f"response_timeout: {SOON}")
    with AppInHand(container, address=path) as app, Client(outside) as client:
        connection = shuts(client, app)
        connection.sendall(begun)
        response = client.response()
        if response.status == 103:
            response = client.response()
        assert response.status == 504
        assert f"within {SOON}".encode() in response.body


def test_an_app_that_takes_no_more_and_stops_in_its_answer(container, outside, bridge, path):
    bridge(f"unix:{path}", idle_timeout=SOON)
    with AppInHand(container, address=path) as app, Client(outside) as client:
        shuts_within_the_body(client, app).sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
        # Its length shows that it is cut off.
        assert read_to_end(client.connection)[0].endswith(b"12345")
        client.sender.join(10)


def test_an_app_that_takes_no_more_may_answer(container, outside, bridge, path):
    bridge(f"unix:{path}")
    with AppInHand(container, address=path) as app, Client(outside) as client:
        connection = shuts_within_the_body(client, app)
        connection.sendall(ok(b"enough")[:-3])
        connection.sendall(b"ugh")
        assert client.response().body == b"enough"


# An app that says something again and again, and never an answer.


@pytest.mark.parametrize("piece", [b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"x"])
def test_an_app_that_never_comes_to_the_point(container, outside, bridge, piece):
    bridge(http=f"response_timeout: {SOON}")

    def drip(connection):
        Reader(connection).head()
        if piece == b"x":
            connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        connection.settimeout(0.05)
        while True:
            connection.sendall(piece)
            try:
                connection.recv(1)
            except TimeoutError:
                pass

    with App(container, drip), Client(outside) as client:
        client.send(get())
        while (response := client.response()).status < 200:
            pass
        assert response.status == 504


# A client that takes nothing.


def unread(outside, request):
    """A client that sends a request and reads nothing."""
    client = connect(outside, Cable.CONTAINER, 8080, receive_buffer=4096)
    client.sendall(request)
    return client


def test_a_client_that_does_not_take_hints(container, outside, bridge):
    program = bridge(idle_timeout=SOON, http="response_timeout: 200ms")
    hint = b"HTTP/1.1 103 Early Hints\r\nLink: " + b"x" * 8000 + b"\r\n\r\n"

    def serve(connection):
        Reader(connection).head()
        connection.settimeout(0.2)
        swallow(lambda: [connection.sendall(hint) for _ in range(10_000)])
        connection.settimeout(20)
        read_to_end(connection)

    with App(container, serve), unread(outside, get()) as client:
        assert program.wait_for_request()["end"] == "idle timeout"
        assert isinstance(read_to_end(client)[1], ConnectionResetError)


def test_a_client_that_does_not_take_the_end(container, outside, bridge):
    """The app has said everything, of which the kernels take a part, and we the rest or a part of that."""
    program = bridge(idle_timeout=SOON)
    sizes = range(25_000, 500_001, 25_000)

    def serve(connection):
        size = int(Reader(connection).head().split(b" ")[1][1:])
        connection.sendall(ok(bytes(size)))
        read_to_end(connection)

    with App(container, serve) as app:
        clients = [unread(outside, get(f"/{size}", b"Connection: close\r\n")) for size in sizes]
        program.wait_for_request(len(sizes))
        ends = [line["end"] for line in program.requests()]
        assert set(ends) <= {"finished", "idle timeout"} and ends.count("idle timeout") >= 5, ends
        for client in clients:
            client.close()
        wait_until(lambda: app.connections == 0, "the app's connections have ended")


def test_a_client_that_does_not_take_a_page(container, outside, bridge):
    """A page of ours stands behind an answer that nobody takes."""
    program = bridge(idle_timeout=SOON)

    def serve(connection):
        reader = Reader(connection)
        while reader.head():
            connection.sendall(ok(bytes(1 << 20)))

    with App(container, serve):
        client = unread(outside, get() * 8 + b"nonsense\r\n\r\n")
        program.wait_for_request(1)
        wait_until(lambda: any(line["end"] == "idle timeout" for line in program.requests()), "it ends")
        client.close()


# The end of a connection.


def test_a_client_that_stays_after_the_last_word(container, outside, bridge):
    bridge()
    with Client(outside) as client:
        client.send(b"nonsense\r\n\r\n" + bytes(100_000))
        assert client.response().status == 400
        assert client.rest() == b""
        wait_until(lambda: metrics(container)['loopbridge_connections{route="web"}'] == 0, "the connection has ended", 20)


@pytest.mark.parametrize("who", ["nobody", "the client", "the app"])
def test_a_switched_protocol_that_falls_silent(container, outside, bridge, who):
    program = bridge(idle_timeout=SOON if who == "nobody" else "1h", half_close_timeout=SOON)
    with AppInHand(container) as app, Client(outside) as client:
        client.send(UPGRADE)
        connection = app.next()
        Reader(connection).head()
        connection.sendall(SWITCH)
        assert client.response().status == 101
        if who == "the client":
            client.connection.shutdown(socket.SHUT_WR)
        elif who == "the app":
            connection.shutdown(socket.SHUT_WR)
        assert program.wait_for_request()["end"] == ("idle timeout" if who == "nobody" else "half-close timeout")
        for side, name in ((client.connection, "the app"), (connection, "the client")):
            # A side that has heard the other one's end knows of it.
            assert isinstance(read_to_end(side)[1], ConnectionResetError) or name == who
