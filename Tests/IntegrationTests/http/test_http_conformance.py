"""Requests of the tables in Tests/HTTP1Cases through the running program: each is asserted for what reaches the app, byte for byte, and for
what the client gets. Behind every request another one follows at once, which must be taken for what it is."""

import socket

import pytest

from support.actors.conformance import (
    ABOUT, ANSWER, DELIVERED, FEEDINGS, FORWARDED, LARGEST, REQUESTS, RESPONSES, SECOND, SECOND_FORWARDED, as_they_came,
    assert_is_error, bridge, in_pieces, left, named, outcome, passes, running, whole)
from support.namespaces import Cable
from support.sockets import read_exactly, read_to_end

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
    """The response to the first request does not depend on what follows it."""
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
