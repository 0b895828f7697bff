"""Apps of HTTP that do what they should not: nobody else may notice, and nothing may be left."""

import socket

import pytest

from support.actors.hostile import CONTINUE, GET, OK, POST, place
from support.settings import IS_SANITIZED
from support.sockets import read_exactly, read_to_end, reset
from support.waiting import wait_until


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
    """Bytes that an app sends on an idle connection go to nobody."""
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
