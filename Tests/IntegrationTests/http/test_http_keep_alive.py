"""Connections that carry several requests, before loopbridge and behind it."""

import random
import socket
import threading

import pytest

from support.http import Client, HTTPApp, answers, chunks, get, ok, post
from support.namespaces import Cable
from support.processes import Frozen
from support.sockets import connect, read_exactly, read_to_end
from support.waiting import stays_true, wait_until


@pytest.fixture
def bridge(loopbridge):
    return loopbridge("--workers", "1", "8080:8000/http")


def test_one_connection_to_the_app_serves_many_clients(container, outside, bridge):
    with HTTPApp(container, answers(ok(b"hi"))) as app:
        for _ in range(20):
            with Client(outside) as client:
                assert client.ask(get(fields=b"Connection: close\r\n"))[b"connection"] == b"close"
                assert client.rest() == b""
        assert app.accepted == 1
        assert app.served == 20


def test_pipelined_requests_are_answered_in_order(container, outside, bridge):
    def serve(request):
        request.connection.sendall(ok(request.line + b"|" + request.body))

    requests = [
        get("/1"), post(b"a body", "/2"), get("/3"),
        get("/4", b"Transfer-Encoding: chunked\r\n", "POST") + chunks(b"chunked ", b"body"),
        *(get(f"/{number}") for number in range(5, 200))]
    with HTTPApp(container, serve) as app, Client(outside) as client:
        client.send(b"".join(requests))
        bodies = [client.response().body for _ in requests]
        assert bodies[:4] == [
            b"GET /1 HTTP/1.1|", b"POST /2 HTTP/1.1|a body", b"GET /3 HTTP/1.1|", b"POST /4 HTTP/1.1|chunked body"]
        assert bodies[4:] == [b"GET /%d HTTP/1.1|" % number for number in range(5, 200)]
        assert app.accepted == 1


def test_the_app_gets_pipelined_requests_one_at_a_time(container, outside, bridge):
    with HTTPApp(container) as app, Client(outside) as client:
        client.send(get("/1") + get("/2"))
        first = app.next_request()
        stays_true(lambda: not app.has_request(), "the second came before the first was answered", 0.3)
        first.answer(ok())
        second = app.next_request()
        second.answer(ok())
        assert (first.number, second.number) == (0, 0)


@pytest.mark.parametrize("request_head,closes", [
    (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", False),
    (b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", True),
    (b"GET / HTTP/1.0\r\nHost: a\r\n\r\n", True),
    (b"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", False),
])
@pytest.mark.parametrize("answer,reuses", [
    (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", True),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi", False),
    (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", False),
    (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nhi", True),
])
def test_who_closes(container, outside, bridge, request_head, closes, answer, reuses):
    with HTTPApp(container) as app, Client(outside) as client:
        client.send(request_head)
        app.next_request().answer(answer, close=not reuses)
        response = client.response()
        assert response.body == b"hi"
        if closes:
            assert response[b"connection"] == b"close"
            assert client.rest() == b""
        else:
            assert response[b"connection"] == (b"keep-alive" if b"HTTP/1.0" in request_head else None)
            client.send(request_head)
            app.next_request().answer(answer, close=not reuses)
            assert client.response().body == b"hi"
            assert app.accepted == (1 if reuses else 2)


WITHOUT_LENGTH = b"HTTP/1.1 200 OK\r\n\r\n"


def test_a_body_without_a_length_comes_in_chunks(container, outside, bridge):
    """The app's connection ends with each answer, the client's stays."""
    bodies = [bytes([number]) * size for number, size in enumerate((0, 1, 65_535, 65_536, 300_000, 5_000_000, 3))]
    with HTTPApp(container) as app, Client(outside) as client:
        client.send(get() * len(bodies))
        for number, body in enumerate(bodies):
            request = app.next_request()
            assert request.number == number
            threading.Thread(target=request.answer, args=(WITHOUT_LENGTH + body, True), daemon=True).start()
            response = client.response()
            assert (response[b"transfer-encoding"], response[b"connection"]) == (b"chunked", None)
            assert response.body == body
        line = bridge.wait_for_request(len(bodies))
        assert line["to_client"] == 3


def test_a_slow_client_gets_all_of_a_body_without_a_length(container, outside, bridge):
    body = random.Random(7).randbytes(24_000_000)
    with HTTPApp(container) as app, Client(outside, receive_buffer=65_536) as client:
        client.send(get())
        request = app.next_request()
        sender = threading.Thread(target=request.answer, args=(WITHOUT_LENGTH + body, True), daemon=True)
        sender.start()
        sender.join(0.5)
        assert sender.is_alive(), "nobody holds the app up"
        assert client.response().body == body
        client.send(get("/again"))
        app.next_request().answer(ok(b"hi"))
        assert client.response().body == b"hi"


def test_what_an_app_says_now_and_then_arrives_at_once(container, outside, bridge):
    """Each event with all of its framing, for some clients wait for the end of the chunk."""
    with HTTPApp(container) as app:
        client = connect(outside, Cable.CONTAINER, 8080)
        client.sendall(get())
        request = app.next_request()
        request.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        expected = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        assert read_exactly(client, len(expected)) == expected
        for number in range(100, 105):
            request.connection.sendall(b"data: %d\n\n" % number)
            expected = b"b\r\ndata: %d\n\n\r\n" % number
            assert read_exactly(client, len(expected)) == expected
        request.done(close=True)
        assert read_exactly(client, 5) == b"0\r\n\r\n"


@pytest.mark.parametrize("request_head", [
    b"GET / HTTP/1.0\r\n\r\n", b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"])
def test_a_body_without_a_length_needs_no_chunks(container, outside, bridge, request_head):
    with HTTPApp(container) as app:
        client = connect(outside, Cable.CONTAINER, 8080)
        client.sendall(request_head)
        app.next_request().answer(WITHOUT_LENGTH + b"x" * 300_000, close=True)
        assert read_to_end(client) == (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 300_000, None)


def test_chunks_become_a_body_until_the_end_for_http10(container, outside, bridge):
    with HTTPApp(container) as app:
        client = connect(outside, Cable.CONTAINER, 8080)
        client.sendall(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        app.next_request().answer(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(*[b"ab" * 5000] * 50))
        data, failure = read_to_end(client)
        assert failure is None
        head, _, body = data.partition(b"\r\n\r\n")
        assert head == b"HTTP/1.1 200 OK\r\nConnection: close"
        assert body == b"ab" * 250_000


def test_more_than_the_answer_is_never_reused(container, outside, bridge):
    with HTTPApp(container) as app, Client(outside) as client:
        client.send(get("/1"))
        app.next_request().answer(ok(b"hi") + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        assert client.response().body == b"hi"
        client.send(get("/2"))
        request = app.next_request()
        assert request.number == 1
        request.answer(ok(b"good"))
        assert client.response().body == b"good"


def test_words_from_an_idle_app_connection_are_for_nobody(container, outside, bridge):
    with HTTPApp(container) as app, Client(outside) as client:
        client.send(get("/1"))
        request = app.next_request()
        request.answer(ok(b"hi"))
        assert client.response().body == b"hi"
        with Frozen(bridge.pid):
            request.connection.sendall(ok(b"evil"))
            client.send(get("/2"))
        request = app.next_request()
        assert request.number == 1
        request.answer(ok(b"good"))
        assert client.response().body == b"good"


def test_an_idle_client_that_leaves(container, outside, bridge):
    with HTTPApp(container, answers(ok())):
        with Client(outside) as client:
            client.ask(get())
            descriptors = bridge.open_descriptors() - 1
        wait_until(lambda: bridge.open_descriptors() == descriptors, "its descriptor is closed")


def test_clients_that_finish_sending_get_their_answers(container, outside, bridge):
    with HTTPApp(container) as app, Client(outside) as client:
        client.send(get("/1") + get("/2"))
        client.connection.shutdown(socket.SHUT_WR)
        for number in (1, 2):
            app.next_request().answer(ok(b"%d" % number))
        assert client.response().body == b"1"
        assert client.response().body == b"2"
        assert client.rest() == b""


def test_a_queue_of_requests_for_a_single_connection(container, outside, loopbridge):
    program = loopbridge("--workers", "2", "--upstream-connections", "1", "8080:8000/http")
    with HTTPApp(container, answers(ok(b"hi"))) as app:
        clients = [Client(outside) for _ in range(50)]
        for _ in range(3):
            for client in clients:
                client.send(get())
            for client in clients:
                assert client.response().body == b"hi"
        assert app.served == 150
        for client in clients:
            client.close()
        assert program.is_running
