"""An end stays an end and a reset stays a reset, in both directions: a truncated stream never looks finished."""

import socket
import threading

import pytest

from support.apps import App, silent
from support.namespaces import Cable
from support.processes import Frozen
from support.sockets import connect, read_exactly, read_to_end, reset, resets_when_closed
from support.waiting import wait_until

HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"x" * 1000


def sends_half_then_resets(connection):
    """Answers a request with half of what it announces, is read by the other side, and resets."""
    connection.recv(1000)
    connection.sendall(HALF)
    resets_when_closed(connection)


class AppInHand:
    """An app whose connections the test holds in its own hands."""

    def __init__(self, container, address="127.0.0.1", port=8000, receive_buffer=None):
        self._arrived = []
        self._over = threading.Event()
        self.app = App(container, self._serve, address, port, receive_buffer=receive_buffer)

    def _serve(self, connection):
        connection.settimeout(10)
        self._arrived.append(connection)
        self._over.wait(60)

    def next(self):
        """The connection that has arrived, or arrives, next."""
        wait_until(lambda: self._arrived, "a connection to the app", interval=0.001)
        return self._arrived.pop(0)

    def __enter__(self):
        return self

    def __exit__(self, *details):
        self._over.set()
        self.app.__exit__(*details)


@pytest.fixture
def pair(container, outside, loopbridge):
    """Makes connected pairs: the client's socket outside and the app's socket inside."""
    loopbridge("8080:8000")
    with AppInHand(container) as app:
        def make():
            client = connect(outside, Cable.CONTAINER, 8080)
            return client, app.next()
        yield make


def test_app_resets_in_mid_answer(container, outside, loopbridge):
    loopbridge("8080:8000")
    with App(container, sends_half_then_resets):
        for _ in range(20):
            with connect(outside, Cable.CONTAINER, 8080) as client:
                client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                _, error = read_to_end(client)
                assert isinstance(error, ConnectionResetError), f"looks finished: {error}"


def test_what_came_before_a_reset_is_delivered(pair):
    for _ in range(20):
        client, app = pair()
        app.sendall(HALF)
        assert read_exactly(client, len(HALF)) == HALF
        reset(app)
        assert isinstance(read_to_end(client)[1], ConnectionResetError)
        client.close()


def test_client_resets_in_mid_request(pair):
    for _ in range(20):
        client, app = pair()
        client.sendall(HALF)
        reset(client)
        data, error = read_to_end(app)
        assert isinstance(error, ConnectionResetError), f"looks finished after {len(data)} bytes: {error}"
        app.close()


@pytest.mark.parametrize("who", ["app", "client"])
def test_data_and_reset_in_the_same_instant(pair, loopbridge, request, who, container, outside):
    """The proxy stands still while both arrive, so it finds one event that stands for both."""
    program = request.getfixturevalue("running")
    for round in range(200):
        client, app = pair()
        sender, receiver = (app, client) if who == "app" else (client, app)
        # Something has gone through, so the relay is up and has nothing left to do.
        sender.sendall(b"a")
        assert receiver.recv(10) == b"a"
        with Frozen(program.pid):
            sender.sendall(b"half of it")
            reset(sender)
        data, error = read_to_end(receiver)
        assert isinstance(error, ConnectionResetError), f"round {round}: looks finished after {data}: {error}"
        assert data in (b"", b"half of it")
        receiver.close()
