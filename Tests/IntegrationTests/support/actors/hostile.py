"""One loopbridge between an app and clients that do what they should not; `place` is a fixture that the tests import."""

import socket
import time

import pytest

from support.namespaces import Cable
from support.recording import RecordingApp
from support.sockets import connect, read_exactly
from support.waiting import wait_until

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
CLOSES = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")


class Place:
    """One loopbridge with one worker, its app in the test's hand, and clients outside."""

    def __init__(self, container, outside, app, program):
        self.container = container
        self.outside = outside
        self.app = app
        self.program = program

    def client(self, data=b"", **options):
        client = connect(self.outside, Cable.CONTAINER, 8080, **options)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.sendall(data)
        return client

    def request(self, end=b"\r\n\r\n", count=0):
        """The next request's connection and bytes, read until they end so, or have so many behind the head."""
        deadline = time.monotonic() + 10
        while True:
            connection, data = self.app.take(1)
            while end not in data or len(data.partition(b"\r\n\r\n")[2]) < count:
                assert time.monotonic() < deadline
                other, more = self.app.take(1)
                assert other is connection
                data += more
            return connection, data

    def assert_serves(self, count=1):
        """Others are served as ever, and get their own answers."""
        for number in range(count):
            path = b"/%d" % number
            with self.client(GET.replace(b"/ ", path + b" ")) as client:
                app, data = self.request()
                assert data.startswith(b"GET %s HTTP/1.1\r\nHost: a\r\n" % path), data
                assert data.count(b"HTTP/1.1") == 1
                app.send(OK.replace(b"2\r\n\r\nok", b"%d\r\n\r\n%s" % (len(path), path)))
                assert read_exactly(client, len(OK) - 2 + len(path)).endswith(b"\r\n\r\n" + path)

    def clients(self):
        """Returns the number of clients' connections that loopbridge has, or has yet to accept."""
        states = [state for _, local, _, state in self.container.connections() if local == 8080]
        return sum(state in ("01", "08") for state in states)  # established, and ended by the client


@pytest.fixture
def place(container, outside, loopbridge):
    program = loopbridge("--workers", "1", "8080:8000/http")
    with RecordingApp(container) as app:
        place = Place(container, outside, app, program)
        place.assert_serves()
        app.forget()
        idle = program.settled_descriptors()
        yield place
        app.forget()
        # A worker keeps one pipe for large bodies.
        wait_until(lambda: program.open_descriptors() <= idle + 2, "its descriptors are closed")
