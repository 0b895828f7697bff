"""The tables of cases in Tests/HTTP1Cases through the running program: each is asserted for what reaches the app, byte for
byte, and for what the client gets. The app does nothing of its own (support/recording.py), so that "no byte has reached
it" is certain and takes no waiting. Everything runs over one program and shares its connections to the app, as smuggling
would need it; behind every request another one follows at once, which must be taken for what it is."""

import json
import socket

import pytest

from support.cases import read_cases, unescaped
from support.http import Reader
from support.loopbridge import Loopbridge
from support.namespaces import Cable, Namespace
from support.recording import RecordingApp
from support.sockets import connect, read_exactly, read_to_end

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


# --- Requests ---


def test_the_tables_belong_together():
    assert list(FORWARDED) == [case.name for case in outcome("accepted", REQUESTS)]
    assert list(DELIVERED) == [case.name for case in outcome("accepted", RESPONSES)]
    assert len(REQUESTS) >= 200


@FEEDINGS
@named(outcome("refused", REQUESTS))
def test_a_refused_request(bridge, case, send):
    with bridge.client() as client:
        send(client, case.bytes + SECOND)
        data, error = read_to_end(client)
    assert error is None
    assert_is_error(data, int(case.words[1]))
    bridge.app.look()
    assert bridge.app.connections == []


@FEEDINGS
@named(outcome("accepted", REQUESTS))
def test_an_accepted_request(bridge, case, send):
    forwarded = FORWARDED[case.name].bytes.replace(b"CLIENT", Cable.OUTSIDE.encode())
    request, framing = case.bytes, case.framing()
    body = request.partition(b"\r\n\r\n")[2] if not request.startswith(b"\r\n") else b""
    if framing == "chunked":
        request, forwarded = request + b"5\r\nhello\r\n0\r\n\r\n", forwarded + b"5\r\nhello\r\n0\r\n\r\n"
    elif framing == "length=5" and not body:
        request, forwarded = request + b"hello", forwarded + b"hello"
    elif framing == LARGEST:
        forwarded += SECOND
    keeps, is_old = "keeps" in case.words, "HTTP/1.0" in case.words
    with bridge.client() as client:
        send(client, request + SECOND)
        app, data = bridge.app.take(len(forwarded))
        assert data == forwarded
        app.send(ANSWER)
        if keeps and framing != LARGEST:
            # The second one comes once the first has been answered, and not before.
            expected = ANSWER.replace(b"\r\n\r\n", b"\r\nConnection: keep-alive\r\n\r\n") if is_old else ANSWER
            assert read_exactly(client, len(expected)) == expected
            app, data = bridge.app.take(len(SECOND_FORWARDED))
            assert data == SECOND_FORWARDED
            app.send(ANSWER)
            assert read_exactly(client, len(ANSWER)) == ANSWER
            client.shutdown(socket.SHUT_WR)
            assert read_to_end(client) == (b"", None)
        else:
            expected = ANSWER.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
            assert read_to_end(client) == (expected, None)
        assert bridge.app.take_all() == b""


@FEEDINGS
@named(outcome("incomplete", REQUESTS))
def test_an_incomplete_request(bridge, case, send):
    with bridge.client() as client:
        send(client, case.bytes)
        client.shutdown(socket.SHUT_WR)
        assert read_to_end(client) == (b"", None)
    bridge.app.look()
    assert bridge.app.connections == []


def test_a_refused_head_request_gets_no_body(bridge):
    with bridge.client() as client:
        client.sendall(b"HEAD / HTTP/1.1\r\n\r\n" + SECOND)
        data, error = read_to_end(client)
    assert error is None
    assert_is_error(data, 400, has_body=False)


@named(outcome("refused", REQUESTS))
def test_a_refused_second_request(bridge, case):
    """What the first one gets does not depend on what follows it."""
    with bridge.client() as client:
        client.sendall(SECOND + case.bytes + SECOND)
        app, data = bridge.app.take(len(SECOND_FORWARDED))
        assert data == SECOND_FORWARDED
        app.send(ANSWER)
        data, error = read_to_end(client)
    assert error is None
    assert data.startswith(ANSWER)
    assert_is_error(data[len(ANSWER):], int(case.words[1]))
    assert bridge.app.take_all() == b""


def test_what_is_left_of_a_refused_request_is_nobodys(bridge):
    """The next client is not the one whose request it becomes a part of."""
    with bridge.client() as client:
        client.sendall(SECOND + b"BAD\r\n\r\n" + b"GET /evil HTTP/1.1\r\nHost: evil\r\nX: " * 10)
        app, data = bridge.app.take(len(SECOND_FORWARDED))
        app.send(ANSWER)
        read_to_end(client)
    client, app = bridge.asked(SECOND, SECOND_FORWARDED)
    with client:
        app.send(ANSWER)
        assert read_exactly(client, len(ANSWER)) == ANSWER


# --- Chunked bodies of requests ---

POST = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
POST_FORWARDED = POST[:-2] + ABOUT + b"\r\n"


def passes(case):
    return unescaped(case.outcome.partition(" passes ")[2])


def left(case):
    return int(next(word for word in case.words if word.startswith("left=")).removeprefix("left="))


def as_they_came(word):
    return [case for case in outcome(word, CHUNKED) if "dechunked" not in case.options]


def head_first(client, data):
    client.sendall(data[:len(POST)])
    client.sendall(data[len(POST):])


CHUNKED_FEEDINGS = pytest.mark.parametrize("send", [whole, head_first, in_pieces])


@CHUNKED_FEEDINGS
@named(as_they_came("ended"))
def test_a_chunked_request(bridge, case, send):
    follows = SECOND.replace(b"/second", b"/")
    start = case.bytes[len(case.bytes) - left(case):]
    assert follows.startswith(start)
    forwarded = POST_FORWARDED + passes(case)
    with bridge.client() as client:
        send(client, POST + case.bytes + follows[len(start):])
        app, data = bridge.app.take(len(forwarded))
        assert data == forwarded
        app.send(ANSWER)
        assert read_exactly(client, len(ANSWER)) == ANSWER
        expected = SECOND_FORWARDED.replace(b"/second", b"/")
        app, data = bridge.app.take(len(expected))
        assert data == expected
        app.send(ANSWER)
        assert read_exactly(client, len(ANSWER)) == ANSWER
    assert bridge.app.take_all() == b""


@CHUNKED_FEEDINGS
@named(as_they_came("invalid"))
def test_an_invalid_chunked_request(bridge, case, send):
    with bridge.client() as client:
        send(client, POST + case.bytes + SECOND)
        data, error = read_to_end(client)
        assert error is None
        assert_is_error(data, 400)
    assert (POST_FORWARDED + passes(case)).startswith(bridge.app.take_all())
    for connection in bridge.app.connections:
        assert bridge.app.wait_for_end(connection) == "reset"
    assert len(bridge.app.connections) <= 1


@CHUNKED_FEEDINGS
@named(as_they_came("goesOn"))
def test_a_chunked_request_that_is_cut_off(bridge, case, send):
    forwarded = POST_FORWARDED + passes(case)
    with bridge.client() as client:
        send(client, POST + case.bytes)
        app, data = bridge.app.take(len(forwarded))
        assert data == forwarded
        client.shutdown(socket.SHUT_WR)
        data, error = read_to_end(client)
        assert error is None
        assert_is_error(data, 400)
    assert bridge.app.wait_for_end(app) == "reset"
    assert bridge.app.take_all() == b""


# --- Responses ---


def method_of(case):
    return b"HEAD" if "answering HEAD" in case.options else b"GET"


def asked_for(bridge, case):
    if "switches" in case.words:
        return bridge.asked(WEBSOCKET, WEBSOCKET.replace(b"Connection: Upgrade\r\n", ABOUT + b"Connection: Upgrade\r\n"))
    return bridge.asked(
        SECOND.replace(b"GET", method_of(case)), SECOND_FORWARDED.replace(b"GET", method_of(case)))


def app_in_pieces(app, data):
    step = 1 if len(data) < 500 else len(data) // 50
    for start in range(0, len(data), step):
        app.send(data[start:start + step])


ANSWERINGS = pytest.mark.parametrize("send", [lambda app, data: app.send(data), app_in_pieces], ids=["whole", "in_pieces"])


def assert_reuse(bridge, client, app, is_expected):
    """Asks for something else on the client's connection, and sees which of the app's connections that takes."""
    client.sendall(SECOND)
    other, data = bridge.app.take(len(SECOND_FORWARDED))
    assert data == SECOND_FORWARDED
    assert (other is app) == is_expected
    other.send(ANSWER)
    assert read_exactly(client, len(ANSWER)) == ANSWER
    if not is_expected:
        bridge.app.wait_for_end(app)


@ANSWERINGS
@named(outcome("accepted", RESPONSES))
def test_an_accepted_response(bridge, case, send):
    client, app = asked_for(bridge, case)
    expected = DELIVERED[case.name].bytes
    body = {"none": b"", "chunked": b"5\r\nhello\r\n0\r\n\r\n"}.get(case.framing(), b"hello")
    with client:
        send(app, case.bytes + body)
        if case.framing() == "untilClose":
            app.close()
            assert read_exactly(client, len(expected)) == expected
            assert Reader(client).chunks()[1] == body
            assert_reuse(bridge, client, app, False)
            return
        assert read_exactly(client, len(expected + body)) == expected + body
        if "switches" in case.words:
            client.sendall(b"to the app")
            assert bridge.app.take(10) == (app, b"to the app")
            app.send(b"to the client")
            assert read_exactly(client, 13) == b"to the client"
            client.shutdown(socket.SHUT_WR)
            assert bridge.app.wait_for_end(app) == "end"
            return
        if "informational" in case.words:
            app.send(ANSWER)
            assert read_exactly(client, len(ANSWER)) == ANSWER
        assert_reuse(bridge, client, app, "keeps" in case.words)


@ANSWERINGS
@named(outcome("refused", RESPONSES))
def test_a_refused_response(bridge, case, send):
    client, app = asked_for(bridge, case)
    with client:
        try:
            send(app, case.bytes + b"hello" + ANSWER)
        except ConnectionError:
            assert send is app_in_pieces  # it was broken off in the middle
        data, error = read_to_end(client)
    assert error is None
    assert_is_error(data, 502, has_body=method_of(case) != b"HEAD")
    assert bridge.app.wait_for_end(app)


@named(outcome("incomplete", RESPONSES))
@pytest.mark.parametrize("end", ["close", "reset"])
def test_an_incomplete_response(bridge, case, end):
    client, app = asked_for(bridge, case)
    with client:
        app.send(case.bytes)
        getattr(app, end)()
        data, error = read_to_end(client)
    assert error is None
    assert_is_error(data, 502)


SURPLUS = {
    "behind a length": (b"GET", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
    "behind chunks": (b"GET", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    "behind no body": (b"GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    "behind HEAD": (b"HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
    "behind 204": (b"GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
    "behind 304": (b"GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"),
}


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("surplus", [b"x", b"HTTP/1.1 200 EVIL\r\nContent-Length: 4\r\n\r\nevil"])
@pytest.mark.parametrize("name", SURPLUS)
def test_what_the_app_says_beyond_its_answer(bridge, name, surplus, together):
    """It goes to nobody, least of all to whoever asks next."""
    method, answer = SURPLUS[name]
    client, app = bridge.asked(SECOND.replace(b"GET", method), SECOND_FORWARDED.replace(b"GET", method))
    with client:
        if together:
            app.send(answer + surplus)
        else:
            app.send(answer)
            app.send(surplus)
        assert read_exactly(client, len(answer)) == answer
        assert_reuse(bridge, client, app, False)
        client.shutdown(socket.SHUT_WR)
        assert read_to_end(client) == (b"", None)


# --- Chunked bodies of responses ---

CHUNKED_ANSWER = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("together", [True, False])
@named(as_they_came("ended"))
def test_a_chunked_response(bridge, case, together):
    client, app = bridge.asked(SECOND, SECOND_FORWARDED)
    expected = CHUNKED_ANSWER + passes(case)
    with client:
        if together:
            app.send(CHUNKED_ANSWER + case.bytes)
        else:
            app.send(CHUNKED_ANSWER)
            assert read_exactly(client, len(CHUNKED_ANSWER)) == CHUNKED_ANSWER
            expected = passes(case)
            try:
                app_in_pieces(app, case.bytes)
            except ConnectionError:
                assert left(case) > 0  # closed at the first byte that is too many
        assert read_exactly(client, len(expected)) == expected
        assert_reuse(bridge, client, app, left(case) == 0)


@pytest.mark.parametrize("together", [True, False])
@named(as_they_came("invalid"))
def test_an_invalid_chunked_response(bridge, case, together):
    client, app = bridge.asked(SECOND, SECOND_FORWARDED)
    with client:
        if together:
            app.send(CHUNKED_ANSWER + case.bytes + ANSWER)
            data, error = read_to_end(client)
            assert error is None
            assert_is_error(data, 502)
        else:
            app.send(CHUNKED_ANSWER)
            assert read_exactly(client, len(CHUNKED_ANSWER)) == CHUNKED_ANSWER
            app.send(case.bytes + ANSWER)
            data, error = read_to_end(client)
            # Without a last chunk, nobody takes it for whole.
            assert error is None
            assert passes(case).startswith(data) and not data.endswith(b"0\r\n\r\n")
    assert bridge.app.wait_for_end(app)


@named(as_they_came("goesOn"))
@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_chunked_response_that_is_cut_off(bridge, case, end):
    client, app = bridge.asked(SECOND, SECOND_FORWARDED)
    expected = CHUNKED_ANSWER + passes(case)
    with client:
        app.send(CHUNKED_ANSWER + case.bytes)
        assert read_exactly(client, len(expected)) == expected
        getattr(app, end)()
        data, error = read_to_end(client)
    # Without a last chunk, nobody takes it for whole.
    assert data == b""
    assert error is None


@named([case for case in CHUNKED.values() if "dechunked" in case.options])
def test_a_chunked_response_to_a_client_of_http_1_0(bridge, case):
    request = b"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"
    client, app = bridge.asked(request, b"GET / HTTP/1.1\r\nHost: a\r\n" + ABOUT + b"\r\n")
    with client:
        app.send(CHUNKED_ANSWER + case.bytes)
        assert read_to_end(client) == (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + passes(case), None)
