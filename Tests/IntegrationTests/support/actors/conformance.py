"""The tables of cases in Tests/HTTP1Cases before the running program: the program with its clients and its app, what each case's tables
say, and fixtures that the tests import.

The app does nothing of its own (support/recording.py), so that "no byte has reached it" is certain and takes no waiting. Everything
runs over one program and shares its connections to the app, as smuggling would need it.
"""

import json
import socket

import pytest

from support.cases import read_cases, unescaped
from support.loopbridge import Loopbridge
from support.namespaces import Cable, Namespace
from support.recording import RecordingApp
from support.sockets import connect

REQUESTS, FORWARDED = read_cases("requests.cases"), read_cases("forwarded.cases")
RESPONSES, DELIVERED = read_cases("responses.cases"), read_cases("delivered.cases")
CHUNKED = read_cases("chunked.cases")

ABOUT = (
    b"X-Forwarded-For: %s\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\nForwarded: for=%s;host=a;proto=http\r\n"
    % ((Cable.OUTSIDE.encode(),) * 2))
SECOND = b"GET /second HTTP/1.1\r\nHost: a\r\n\r\n"
SECOND_FORWARDED = SECOND[:-2] + ABOUT + b"\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LARGEST = "length=9223372036854775807"
WEBSOCKET = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"


class Bridge:
    """The running program with clients on one side and the recording app on the other."""

    def __init__(self, outside, app):
        self.outside = outside
        self.app = app

    def client(self):
        client = connect(self.outside, Cable.CONTAINER, 8080)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    def asked(self, request, forwarded):
        """A client whose request has arrived at the app, and the app's connection."""
        client = self.client()
        client.sendall(request)
        connection, data = self.app.take(len(forwarded))
        assert data == forwarded
        return client, connection


@pytest.fixture(scope="module")
def running():
    container = outside = program = None
    try:
        container, outside = Namespace("container"), Namespace("outside")
        Cable(outside, container)
        program = Loopbridge(container, "--workers", "1", "8080:8000/http").wait_until_listening()
        with RecordingApp(container) as app:
            yield Bridge(outside, app)
        program.terminate()
        program.assert_clean()
    finally:
        for part in (program and program.kill, outside and outside.remove, container and container.remove):
            if part:
                part()


@pytest.fixture
def bridge(running):
    """Nothing of an earlier test's connections is left."""
    yield running
    running.app.forget()


def whole(client, data):
    client.sendall(data)


def in_pieces(client, data):
    """Byte by byte, or in a number of pieces where that is long."""
    step = 1 if len(data) < 500 else len(data) // 50
    for start in range(0, len(data), step):
        client.sendall(data[start:start + step])


FEEDINGS = pytest.mark.parametrize("send", [whole, in_pieces])


def named(cases):
    cases = list(cases)
    return pytest.mark.parametrize("case", cases, ids=[case.name for case in cases])


def outcome(word, cases):
    return [case for case in cases.values() if case.words[0] == word]


def assert_is_error(data, status, has_body=True):
    """A whole answer of loopbridge's own, with nothing behind it."""
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0].startswith(b"HTTP/1.1 %d " % status), data
    fields = dict(line.lower().split(b": ", 1) for line in lines[1:])
    assert fields[b"connection"] == b"close"
    assert fields[b"content-type"] == b"application/json"
    if not has_body:
        assert body == b""
        return
    assert len(body) == int(fields[b"content-length"])
    assert json.loads(body)["status"] == status


def passes(case):
    return unescaped(case.outcome.partition(" passes ")[2])


def left(case):
    return int(next(word for word in case.words if word.startswith("left=")).removeprefix("left="))


def as_they_came(word):
    return [case for case in outcome(word, CHUNKED) if "dechunked" not in case.options]
