"""Responses of the tables in Tests/HTTP1Cases through the running program: each is asserted for what the client gets, byte for byte."""

import socket

import pytest

from support.actors.conformance import (
    ABOUT, ANSWER, CHUNKED, DELIVERED, RESPONSES, SECOND, SECOND_FORWARDED, WEBSOCKET, as_they_came, assert_is_error, bridge,
    left, named, outcome, passes, running)
from support.http import Reader
from support.sockets import read_exactly, read_to_end


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
