"""Responses of our own, when the app gives none, and the rest of broken messages."""

import json
import socket

import pytest

from support.http import Client, HTTPApp, get, ok, post
from support.namespaces import Cable
from support.processes import Frozen
from support.sockets import connect, read_to_end, reset, unacknowledged
from support.waiting import wait_until


@pytest.fixture
def bridge(loopbridge):
    return loopbridge("--workers", "1", "--hold", "200ms", "8080:8000/http")


def assert_failure(response, status, words):
    assert response.status == status
    assert response[b"connection"] == b"close"
    assert words in json.loads(response.body)["error"]


def test_nobody_listens(container, outside, bridge):
    with Client(outside) as client:
        response = client.ask(get())
        assert_failure(response, 503, "The app at localhost:8000 is not listening yet.")
        assert int(response[b"retry-after"]) >= 1
        assert client.rest() == b""
    with Client(outside) as client:
        response = client.ask(get(fields=b"Accept: text/html,*/*\r\n"))
        assert response[b"content-type"] == b"text/html; charset=utf-8"
        assert b"is not listening yet" in response.body
    with Client(outside) as client:
        response = client.ask(get(method="HEAD"), "HEAD")
        assert response.status == 503
        assert client.rest() == b""


def test_a_client_is_held_until_the_app_listens(container, outside, loopbridge):
    program = loopbridge("--workers", "1", "8080:8000/http")
    with Client(outside) as client:
        client.send(post(b"body"))
        program.wait_for_message("not listening")
        with HTTPApp(container) as app:
            request = app.next_request()
            assert request.body == b"body"
            request.answer(ok(b"finally"))
            assert client.response().body == b"finally"


def test_a_client_that_leaves_while_it_is_held_is_not_for_the_app(container, outside, loopbridge):
    program = loopbridge("--workers", "1", "--access-log", "true", "8080:8000/http")
    client = Client(outside).send(get("/left"))
    program.wait_for_message("not listening")
    client.close()
    entry = program.wait_for_request()
    assert (entry["target"], entry["end"]) == ("/left", "the client left")
    with HTTPApp(container) as app, Client(outside) as other:
        other.send(get("/stayed"))
        request = app.next_request()
        assert request.line == b"GET /stayed HTTP/1.1"
        request.answer(ok())
        assert other.response().status == 200


def test_the_queue_is_full_or_too_slow(container, outside, loopbridge):
    loopbridge(
        "--workers", "1", "--upstream-connections", "1", "--queue", "1", "--queue-timeout", "300ms", "8080:8000/http")
    with HTTPApp(container) as app:
        first = Client(outside).send(get("/1"))
        request = app.next_request()
        second = Client(outside).send(get("/2"))
        third = Client(outside)
        # The order in which the two arrive is the kernel's.
        third.send(get("/3"))
        responses = [second.response(), third.response()]
        explanations = sorted(json.loads(response.body)["error"] for response in responses)
        assert [response.status for response in responses] == [503, 503]
        assert "had no time" in explanations[1] or "had no time" in explanations[0]
        assert any("too many clients wait" in text for text in explanations)
        request.answer(ok(b"1"))
        assert first.response().body == b"1"
        for client in (first, second, third):
            client.close()


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nContent-Le"])
def test_the_app_closes_instead_of_answering(container, outside, bridge, start):
    with HTTPApp(container) as app, Client(outside) as client:
        client.send(get())
        app.next_request().answer(start, close=True)
        assert_failure(client.response(), 502, "ended the connection without an answer")


@pytest.mark.parametrize("answer", [
    b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot a chunk\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
])
def test_the_app_answers_with_nonsense(container, outside, bridge, answer):
    with HTTPApp(container) as app, Client(outside) as client:
        client.send(get())
        app.next_request().answer(answer)
        assert_failure(client.response(), 502, "no valid HTTP")


@pytest.mark.parametrize("head,part", [
    (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"x" * 999),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"3\r\nabc\r\n"),
])
@pytest.mark.parametrize("end", ["end", "reset"])
def test_a_truncated_answer_reaches_the_client(container, outside, bridge, head, part, end):
    """Its framing shows that it is not whole, so it ends with an end: that stands behind what was sent, and is sent again where
    it gets lost. A reset is neither."""
    with HTTPApp(container) as app:
        client = connect(outside, Cable.CONTAINER, 8080)
        client.sendall(get())
        request = app.next_request()
        request.connection.sendall(head)
        while b"\r\n\r\n" not in client.recv(65536, socket.MSG_PEEK):
            pass
        request.connection.sendall(part)
        wait_until(lambda: client.recv(65536, socket.MSG_PEEK).endswith(part), "the part has arrived")
        if end == "reset":
            reset(request.connection)
        request.done(close=True)
        data, failure = read_to_end(client)
        assert data.endswith(part)
        assert failure is None


@pytest.mark.parametrize("asked,part,is_framed", [
    (get(), b"a\r\nhalf of it\r\n", True), (get(fields=b"Connection: close\r\n"), b"half of it", False),
    (get(version="1.0"), b"half of it", False)], ids=["a client that stays", "one that closes", "HTTP/1.0"])
def test_a_reset_ends_a_body_that_ends_with_its_connection(container, outside, bridge, asked, part, is_framed):
    """Chunks without a last one show that something is missing; a body without framing can only be reset."""
    with HTTPApp(container) as app:
        client = connect(outside, Cable.CONTAINER, 8080)
        client.sendall(asked)
        request = app.next_request()
        request.connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nhalf of it")
        wait_until(lambda: client.recv(65536, socket.MSG_PEEK).endswith(part), "the part has arrived")
        reset(request.connection)
        request.done(close=True)
        data, failure = read_to_end(client)
        assert data.endswith(part)
        assert (failure is None) if is_framed else isinstance(failure, ConnectionResetError)


@pytest.mark.parametrize("size", [10, 1_000_000])
def test_a_reset_right_behind_a_body_that_ends_with_its_connection(container, outside, bridge, size):
    """Both arrive together, and all that had arrived may be read; but nothing says that it is whole."""
    with HTTPApp(container) as app:
        client = connect(outside, Cable.CONTAINER, 8080)
        client.sendall(get())
        request = app.next_request()
        request.connection.setblocking(False)
        with Frozen(bridge.pid):
            sent = request.connection.send(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * size) - 19
            wait_until(lambda: size > 10 or not unacknowledged(request.connection), "it has arrived")
            reset(request.connection)
        request.done(close=True)
        data, failure = read_to_end(client)
        assert not data.endswith(b"\r\n0\r\n\r\n")
        assert failure is None
        assert data.count(b"x") == sent if size == 10 else 0 < data.count(b"x") <= sent


def test_an_answer_before_the_request_has_been_sent(container, outside, bridge):
    """As to an upload that the app does not want: the client gets to read why, though it goes on sending."""
    with HTTPApp(container, reads_body=False) as app, Client(outside) as client:
        client.send(get("/", b"Content-Length: 100000000\r\n", "PUT"))
        request = app.next_request()
        client.send(b"x" * 100_000)
        request.answer(ok(b"too much", status=b"413 Content Too Large"), close=True)
        sent = 0
        try:
            while sent < 20_000_000:
                client.send(b"x" * 100_000)
                sent += 100_000
        except OSError:
            pass
        response = client.response()
        assert (response.status, response.body) == (413, b"too much")
        assert response[b"connection"] == b"close"


def test_a_client_that_breaks_off_breaks_off_the_app(container, outside, bridge):
    with HTTPApp(container) as app:
        client = connect(outside, Cable.CONTAINER, 8080)
        client.sendall(get())
        request = app.next_request()
        reset(client)
        with pytest.raises(ConnectionResetError):
            request.connection.recv(1)
        request.done(close=True)
        # And nobody gets that connection.
        with Client(outside) as other:
            other.send(get())
            request = app.next_request()
            assert request.number == 1
            request.answer(ok(b"hi"))
            assert other.response().body == b"hi"


def test_a_client_that_leaves_in_its_answer(container, outside, bridge):
    def serve(request):
        request.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        try:
            while True:
                request.connection.sendall(bytes(100_000))
        except OSError as error:
            failures.append(error)
        return False

    failures = []
    with HTTPApp(container, serve):
        client = connect(outside, Cable.CONTAINER, 8080)
        client.sendall(get())
        client.recv(1000)
        reset(client)
        wait_until(lambda: failures, "the app is told")


@pytest.mark.parametrize("request_bytes,status", [
    (b"GET / HTTP/1.1\r\n\r\n", 400), (b"nonsense\r\n\r\n", 400), (b"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505),
    (b"GET / HTTP/1.1\nHost: a\n\n", 400), (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 40_000 + b"\r\n\r\n", 431),
    (b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 501),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
])
def test_requests_that_are_none(container, outside, bridge, request_bytes, status):
    with HTTPApp(container) as app, Client(outside) as client:
        response = client.ask(request_bytes + get("/smuggled"))
        assert response.status in ((status,) if status != 501 else (501, 405, 400))
        assert response[b"connection"] == b"close"
        assert client.rest() == b""
        assert not app.has_request()


def test_a_chunk_that_is_none_breaks_the_app_off(container, outside, bridge):
    with HTTPApp(container, reads_body=False) as app, Client(outside) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        request = app.next_request()
        assert request.reader.exactly(8) == b"3\r\nabc\r\n"
        client.send(b"zz\r\n")
        response = client.response()
        assert_failure(response, 400, "chunk")
        with pytest.raises(ConnectionResetError):
            request.connection.recv(1)
        request.done(close=True)


def test_a_body_that_is_cut_off(container, outside, bridge):
    with HTTPApp(container, reads_body=False) as app, Client(outside) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
        request = app.next_request()
        client.connection.shutdown(socket.SHUT_WR)
        assert_failure(client.response(), 400, "ended before")
        with pytest.raises(ConnectionResetError):
            request.reader.exactly(10)
        request.done(close=True)
