"""Clients of HTTP that do what they should not, at every moment at which they could: nobody else may notice, nothing may be left, and the
response must be the one to the request."""

import random
import socket

import pytest

from support.actors.hostile import CLOSES, CONTINUE, GET, OK, POST, place
from support.sockets import read_exactly, read_to_end, reset
from support.waiting import wait_until


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

    # The bytes that a client has sent before it left are for the app, and so is the end behind them.
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
    """Bytes that follow a request with Connection: close are no request."""
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
    """A client that has finished sending still gets its response."""
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
