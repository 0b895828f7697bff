"""Clients and apps of HTTP that do what they should not, at every moment at which they could: nobody else may notice, nothing
may be left, and what is answered must be what was asked for. The app does nothing of its own (support/recording.py)."""

import random
import socket
import time

import pytest

from support.namespaces import Cable
from support.recording import RecordingApp
from support.settings import IS_SANITIZED
from support.sockets import connect, read_exactly, read_to_end, reset
from support.waiting import wait_until

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
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
        """How many connections of clients loopbridge has, or has yet to accept."""
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


# --- Clients ---


def test_garbage(place):
    """Whatever is sent is refused, or asks for more; the app hears of none of it."""
    chance = random.Random(1)
    alphabet = [b"GET ", b"/", b" HTTP/1.1", b"\r\n", b"\n", b"\r", b":", b" ", b"\0", b"Host", b"a", b"\xff", b"chunked"]
    for _ in range(300):
        data = b"".join(chance.choice(alphabet) for _ in range(chance.randrange(1, 60)))
        if chance.random() < 0.3:
            data = chance.randbytes(chance.randrange(1, 3000))
        with place.client(data) as client:
            client.shutdown(socket.SHUT_WR)
            answer, error = read_to_end(client)
            assert error is None
            assert answer == b"" or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 5")), (data, answer)
        assert place.app.take_all() == b"", data
    place.assert_serves()


@pytest.mark.parametrize("leave", [reset, socket.socket.close], ids=["reset", "close"])
def test_clients_that_leave_at_every_byte(place, leave):
    request = POST % 5 + b"hello"
    for count in range(len(request) + 1):
        leave(place.client(request[:count]))
    app = place.app
    wait_until(lambda: place.clients() <= 1, "all but the one with a whole request have been done with")

    def waiting():
        app.look()
        return [connection for connection in app.connections if not connection.ended]

    # What a client has said before it left is for the app, and so is the end behind it.
    wait_until(lambda: len(waiting()) <= 1 and len(app.connections) > len(b"hello"), "the others have ended there, too")
    for connection in waiting():
        # The one whole request: a client that has finished sending may still be reading.
        connection.send(OK)
    for connection in app.connections:
        connection.received = b""
    place.assert_serves(3)


def test_an_aborted_download_is_not_reused(place):
    client = place.client(GET)
    app, _ = place.request()
    app.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + bytes(1000))
    client.recv(100)
    reset(client)
    assert place.app.wait_for_end(app)
    place.assert_serves(2)


def test_a_thousand_pipelined_requests(place):
    count = 1000
    requests = b"".join(GET.replace(b"/ ", b"/%d " % number) for number in range(count))
    with place.client() as client:
        client.sendall(requests)
        for number in range(count):
            app, data = place.request()
            assert data.startswith(b"GET /%d HTTP" % number), data
            assert data.count(b"HTTP/1.1") == 1
            body = b"%d" % number
            app.send(OK.replace(b"2\r\n\r\nok", b"%d\r\n\r\n%s" % (len(body), body)))
        client.shutdown(socket.SHUT_WR)
        data, error = read_to_end(client)
    assert error is None
    assert [int(part.partition(b"\r\n\r\n")[2]) for part in data.split(b"HTTP/1.1 200 OK")[1:]] == list(range(count))
    assert len(place.app.connections) == 1


def test_pipelined_requests_and_an_answer_that_closes(place):
    """What follows a request with Connection: close is no request."""
    with place.client(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + GET * 5) as client:
        app, _ = place.request()
        app.send(OK)
        assert read_to_end(client) == (CLOSES, None)
    assert place.app.take_all() == b""


@pytest.mark.parametrize("fields, status", [(99, 200), (101, 431), (20_000, 431)])
def test_many_fields(place, fields, status):
    data = GET[:-2] + b"".join(b"X%d: \r\n" % number for number in range(fields)) + b"\r\n"
    with place.client(data) as client:
        if status == 200:
            app, head = place.request()
            assert head.count(b"\r\nX") == fields + 3  # X-Forwarded- fields
            app.send(OK)
            assert read_exactly(client, len(OK)) == OK
        else:
            answer, error = read_to_end(client)
            assert error is None and answer.startswith(b"HTTP/1.1 %d " % status)
            assert place.app.take_all() == b""


def test_a_body_byte_by_byte(place):
    with place.client(POST % 300) as client:
        for _ in range(300):
            client.sendall(b"x")
        app, data = place.request(count=300)
        assert data.endswith(b"\r\n\r\n" + b"x" * 300)
        app.send(OK)
        assert read_exactly(client, len(OK)) == OK
    place.assert_serves(2)


@pytest.mark.parametrize("answer", [OK, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"])
def test_a_half_close_behind_the_request(place, answer):
    """Whoever has finished sending is still answered."""
    with place.client(GET + GET) as client:
        client.shutdown(socket.SHUT_WR)
        for _ in range(2):
            app, _ = place.request()
            app.send(answer)
        assert read_to_end(client) == (answer * 2, None)


@pytest.mark.parametrize("framing", [b"Content-Length: 10", b"Transfer-Encoding: chunked"])
def test_a_half_close_within_the_body(place, framing):
    with place.client(b"POST / HTTP/1.1\r\nHost: a\r\n" + framing + b"\r\n\r\n5\r\nhe") as client:
        app, _ = place.request()
        client.shutdown(socket.SHUT_WR)
        data, error = read_to_end(client)
        assert error is None and data.startswith(b"HTTP/1.1 400 ")
    assert place.app.wait_for_end(app) == "reset"


EXPECTS = b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def test_expect_and_the_app_says_continue(place):
    with place.client(EXPECTS) as client:
        app, head = place.request()
        assert b"\r\nExpect: 100-continue\r\n" in head
        app.send(CONTINUE)
        assert read_exactly(client, len(CONTINUE)) == CONTINUE
        client.sendall(b"hello")
        assert place.app.take(5) == (app, b"hello")
        app.send(OK)
        assert read_exactly(client, len(OK)) == OK
        client.sendall(GET)
        assert place.request()[0] is app
        app.send(OK)
        assert read_exactly(client, len(OK)) == OK


def test_expect_and_the_app_answers_at_once(place):
    """The client may have begun to send the body or not; the connection can't tell, and ends."""
    refusal = OK.replace(b"200 OK", b"417 No")
    with place.client(EXPECTS) as client:
        app, _ = place.request()
        app.send(refusal)
        assert read_to_end(client) == (refusal.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), None)
    assert place.app.wait_for_end(app)
    assert place.app.take_all() == b""


def test_expect_and_a_client_that_does_not_wait(place):
    with place.client(EXPECTS + b"hello" + GET) as client:
        app, data = place.request(count=5)
        assert data.endswith(b"\r\n\r\nhello")
        app.send(CONTINUE + OK)
        assert read_exactly(client, len(CONTINUE + OK)) == CONTINUE + OK
        app, head = place.request()
        assert head.startswith(b"GET / ")
        app.send(OK)
        assert read_exactly(client, len(OK)) == OK


def test_expect_and_the_app_says_continue_too_late(place):
    """A 100 behind the final answer is an answer to nothing."""
    with place.client(EXPECTS + b"hello") as client:
        app, _ = place.request(count=5)
        app.send(OK + CONTINUE)
        assert read_exactly(client, len(OK)) == OK
        client.sendall(GET)
        other, _ = place.request()
        assert other is not app
        other.send(OK)
        assert read_exactly(client, len(OK)) == OK


def test_a_client_of_http_1_0_sees_no_interim_answers(place):
    with place.client(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n") as client:
        app, _ = place.request()
        app.send(CONTINUE + b"HTTP/1.1 103 Early Hints\r\nX: 1\r\n\r\n")
        app.send(OK)
        assert read_to_end(client) == (CLOSES, None)


# --- Uploads that the app answers before they are over ---


@pytest.mark.parametrize("app_ends", [None, "close", "reset"])
@pytest.mark.parametrize("framing", [b"Content-Length: 100000000", b"Transfer-Encoding: chunked"])
def test_an_early_answer(place, framing, app_ends):
    """The client gets the answer whole, though it goes on sending, and neither connection is used again."""
    refusal = OK.replace(b"200 OK", b"413 Too much")
    with place.client(b"POST / HTTP/1.1\r\nHost: a\r\n" + framing + b"\r\n\r\n") as client:
        piece = b"10000\r\n" + bytes(0x10000) + b"\r\n"
        client.sendall(piece)
        app, _ = place.request()
        app.send(refusal)
        if app_ends == "close":
            app.close()
        elif app_ends == "reset":
            # The kernel throws away what the other side has not read when a reset comes: give it the time to.
            assert read_exactly(client, 12) == refusal[:12]
            app.reset()
        rest = b"" if app_ends != "reset" else refusal[:12]
        client.settimeout(10)
        try:
            for _ in range(20):
                client.sendall(piece)
        except TimeoutError:
            pytest.fail("the client's bytes are not taken any more")
        data, error = read_to_end(client)
        assert error is None
        assert rest + data == refusal.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    place.app.forget()
    place.assert_serves(2)


def test_an_answer_while_the_body_is_still_coming(place):
    """An app that answers as it reads is given the whole body, as long as its answer goes on."""
    with place.client(POST % 10 + b"hello") as client:
        app, _ = place.request(count=5)
        app.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        wait_until(lambda: client.recv(1000, socket.MSG_PEEK).endswith(b"a\r\n"), "the answer's beginning")
        client.sendall(b"world")
        assert place.app.take(5) == (app, b"world")
        app.send(b"1\r\nb\r\n0\r\n\r\n")
        data, error = read_to_end(client)
        assert error is None and data.endswith(b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n")


# --- Apps ---


@pytest.mark.parametrize("end", ["close", "reset"])
@pytest.mark.parametrize("said, gets", [
    (b"", b"502"), (b"HTT", b"502"), (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", b"502"), (CONTINUE, b"502"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", None), (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", None),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", None)])
def test_an_app_that_leaves(place, said, gets, end):
    with place.client(GET) as client:
        app, _ = place.request()
        if said:
            app.send(said)
            if gets is None:
                wait_until(lambda: client.recv(1000, socket.MSG_PEEK).startswith(b"HTTP/1.1 200"), "the beginning")
        getattr(app, end)()
        data, error = read_to_end(client)
    if gets is None:
        # All that came, and an end: the framing shows that it is not whole.
        assert error is None
        assert data.partition(b"\r\n\r\n")[2] == said.partition(b"\r\n\r\n")[2]
    else:
        assert error is None
        assert data.removeprefix(CONTINUE).startswith(b"HTTP/1.1 " + gets)
    place.assert_serves(2)


def test_a_reset_is_not_the_end_of_a_body_without_a_length(place):
    with place.client(GET) as client:
        app, _ = place.request()
        app.send(b"HTTP/1.1 200 OK\r\n\r\nhello")
        wait_until(lambda: client.recv(1000, socket.MSG_PEEK).endswith(b"5\r\nhello\r\n"), "the beginning")
        app.reset()
        data, error = read_to_end(client)
        # The last chunk is missing, which says it better than a reset.
        assert error is None
        assert data.endswith(b"5\r\nhello\r\n")


def test_an_app_whose_body_without_a_length_looks_like_chunks(place):
    """It is the body's text and nothing else, so nobody can end it, or begin another answer, from within."""
    said = b"5\r\nhello\r\n0\r\n\r\n" + OK
    with place.client(GET * 2) as client:
        app, _ = place.request()
        app.send(b"HTTP/1.1 200 OK\r\n\r\n" + said)
        app.close()
        other, _ = place.request()
        other.send(OK)
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        expected = head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(said), said) + OK
        assert read_exactly(client, len(expected)) == expected


@pytest.mark.parametrize(
    "words", [b"x", OK, CONTINUE, b"HTTP/1.1 408 Timeout\r\nContent-Length: 0\r\n\r\n", OK * 1000],
    ids=["a letter", "an answer", "100", "408", "a thousand answers"])
def test_answers_that_nobody_asked_for(place, words):
    """What an app says on a connection that is kept goes to nobody."""
    for _ in range(10):
        place.assert_serves()
        app = next(connection for connection in place.app.connections if not connection.ended)
        try:
            app.send(words)
        except ConnectionError:
            pass  # closed at the first of many words
        with place.client(GET.replace(b"/ ", b"/mine ")) as client:
            other, data = place.request()
            assert other is not app
            assert data.startswith(b"GET /mine ")
            other.send(OK.replace(b"ok", b"my"))
            assert read_exactly(client, len(OK)) == OK.replace(b"ok", b"my")
        place.app.forget()


def test_a_kept_connection_that_the_app_closes(place):
    """However close the end and the next request are, the client hears nothing of it."""
    with place.client() as client:
        for _ in range(200):
            client.sendall(GET)
            app, _ = place.request()
            app.send(OK)
            assert read_exactly(client, len(OK)) == OK
            app.close()
    place.assert_serves(2)


def test_a_switch_that_nobody_asked_for(place):
    switch = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    for request in (GET, POST % 5 + b"hello", GET.replace(b"\r\n\r\n", b"\r\nUpgrade: websocket\r\n\r\n")):
        with place.client(request + GET) as client:
            app, _ = place.request()
            app.send(switch + b"evil")
            data, error = read_to_end(client)
            assert error is None and data.startswith(b"HTTP/1.1 502 ")
        assert place.app.wait_for_end(app)
    assert place.app.take_all() == b""


def test_a_flood_of_interim_answers(place):
    """They cost no memory, whether the client takes them or not, and others are served meanwhile."""
    hint = b"HTTP/1.1 103 Early Hints\r\nLink: </%s>\r\n\r\n" % (b"a" * 900)
    client = place.client(GET, receive_buffer=4096)
    app, _ = place.request()
    before = place.program.memory("VmRSS")
    app.socket.settimeout(0.5)
    sent = 0
    try:
        while sent < 64 << 20:
            sent += app.socket.send(hint * 64)
    except TimeoutError:
        pass
    app.socket.setblocking(False)
    assert sent < 32 << 20, "somebody keeps what nobody reads"
    place.assert_serves(2)
    if not IS_SANITIZED:
        assert place.program.memory("VmRSS") < before + (8 << 20)
    reset(client)
    assert place.app.wait_for_end(app)
    place.assert_serves(2)


@pytest.mark.parametrize("head", [
    b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", b"HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.1 304 Not\r\nTransfer-Encoding: chunked\r\n\r\n"])
def test_bodies_where_there_can_be_none(place, head):
    with place.client(GET) as client:
        app, _ = place.request()
        app.send(head + b"5\r\nhello\r\n0\r\n\r\n" + OK)
        client.sendall(GET)
        other, _ = place.request()
        assert other is not app
        other.send(OK)
        client.shutdown(socket.SHUT_WR)
        data, error = read_to_end(client)
    assert error is None
    assert data.count(b"HTTP/1.1") == 2 and data.endswith(b"\r\n\r\n" + OK), data
    assert b"hello" not in data


def test_keep_alive_with_http_1_0(place):
    """The client's wish counts, also when the app speaks HTTP/1.0 and closes."""
    request = b"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"
    answer = OK.replace(b"\r\n\r\n", b"\r\nConnection: keep-alive\r\n\r\n")
    with place.client() as client:
        for app_says in (OK, OK.replace(b"HTTP/1.1", b"HTTP/1.0"), answer.replace(b"HTTP/1.1", b"HTTP/1.0")):
            client.sendall(request)
            app, _ = place.request()
            app.send(app_says)
            assert read_exactly(client, len(answer)) == answer
