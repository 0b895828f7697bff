"""A request and its answer through `protocol: http`, byte for byte."""

import pytest

from support.configuration import ConfigurationFile, route
from support.http import Client, HTTPApp, chunks, get, ok, post
from support.namespaces import Cable
from support.sockets import connect, read_to_end

FORWARDED = (
    b"X-Forwarded-For: %s\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: example.test\r\n"
    b"Forwarded: for=%s;host=example.test;proto=http\r\n" % (Cable.OUTSIDE.encode(), Cable.OUTSIDE.encode()))


@pytest.fixture
def bridge(loopbridge):
    return loopbridge("--workers", "1", "8080:8000/http")


def test_what_the_app_and_the_client_get(container, outside, bridge):
    with HTTPApp(container) as app, Client(outside) as client:
        client.send(get("/a?b=c", b"X-Thing:  two  words \r\nx-thing: again\r\nConnection: keep-alive, x-mine\r\n"
                        b"X-Mine: 1\r\n"))
        request = app.next_request()
        assert request.head == (
            b"GET /a?b=c HTTP/1.1\r\nHost: example.test\r\nX-Thing:  two  words \r\nx-thing: again\r\n" + FORWARDED
            + b"\r\n")
        request.answer(b"HTTP/1.1 200 Fine\r\nServer: app\r\nContent-Length: 5\r\nKeep-Alive: timeout=5\r\n\r\nhello")
        response = client.response()
        assert response.head == b"HTTP/1.1 200 Fine\r\nServer: app\r\nContent-Length: 5\r\n\r\n"
        assert response.body == b"hello"
        entry = bridge.wait_for_request()
        assert (entry["target"], entry["status"]) == ("/a?b=c", 200)


def test_a_head_in_pieces_of_one_byte(container, outside, bridge):
    with HTTPApp(container) as app, Client(outside) as client:
        for byte in get("/slow", b"Accept: text/html\r\n"):
            client.send(bytes([byte]))
        assert app.next_request().line == b"GET /slow HTTP/1.1"


def test_an_answer_in_pieces_of_one_byte(container, outside, bridge):
    def serve(request):
        for byte in ok(b"hello", b"X-Long: " + b"y" * 200 + b"\r\n"):
            request.connection.sendall(bytes([byte]))

    with HTTPApp(container, serve), Client(outside) as client:
        for _ in range(3):
            assert client.ask(get()).body == b"hello"


def test_head_204_and_304_have_no_body(container, outside, bridge):
    with HTTPApp(container) as app, Client(outside) as client:
        client.send(get("/head", method="HEAD"))
        app.next_request().answer(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        assert client.response("HEAD")[b"content-length"] == b"1000"
        for status in (b"204 No Content", b"304 Not Modified"):
            client.send(get())
            request = app.next_request()
            assert request.number == 0
            request.answer(b"HTTP/1.1 %s\r\nETag: x\r\n\r\n" % status)
            assert client.response().status == int(status[:3])
        assert app.accepted == 1


@pytest.mark.parametrize("target,seen", [
    ("http://example.test/path?q", b"/path?q"), ("http://example.test", b"/"), ("/", b"/")])
def test_a_target_that_is_a_url_becomes_a_path(container, outside, bridge, target, seen):
    with HTTPApp(container) as app, Client(outside) as client:
        client.send(get(target))
        request = app.next_request()
        assert request.line == b"GET " + seen + b" HTTP/1.1"
        assert request[b"host"] == b"example.test"


def test_informational_responses_are_passed_on(container, outside, bridge):
    with HTTPApp(container) as app, Client(outside) as client:
        client.send(get())
        hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
        request = app.next_request()
        request.connection.sendall(hints)
        assert client.response().head == hints
        # Two more together with the answer.
        request.answer(hints + hints + ok(b"done"))
        assert [client.response().status for _ in range(2)] == [103, 103]
        assert client.response().body == b"done"


def test_http10_clients_get_no_informational_responses(container, outside, bridge):
    with HTTPApp(container) as app:
        client = connect(outside, Cable.CONTAINER, 8080)
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        request = app.next_request()
        assert request.line == b"GET / HTTP/1.1"
        assert request[b"host"] == b"localhost:8000"
        request.answer(b"HTTP/1.1 103 Early Hints\r\n\r\n" + ok(b"x"))
        answer, failure = read_to_end(client)
        assert failure is None
        assert answer == b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx"


def test_the_expectation_reaches_the_app_and_its_100_the_client(container, outside, bridge):
    with HTTPApp(container, reads_body=False) as app, Client(outside) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: example.test\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        request = app.next_request()
        assert request[b"expect"] == b"100-continue"
        request.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        assert client.response().head == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.send(b"body")
        assert request.reader.exactly(4) == b"body"
        request.answer(ok(b"thanks"))
        assert client.response().body == b"thanks"
        # The connection goes on.
        client.send(get("/next"))
        assert app.next_request().line == b"GET /next HTTP/1.1"


def test_an_answer_instead_of_100_closes(container, outside, bridge):
    with HTTPApp(container, reads_body=False) as app, Client(outside) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: example.test\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        app.next_request().answer(ok(b"no", status=b"417 Expectation Failed"), close=True)
        response = client.response()
        assert response.status == 417
        assert response[b"connection"] == b"close"
        assert client.rest() == b""


def test_trailers_and_extensions(container, outside, bridge):
    with HTTPApp(container) as app, Client(outside) as client:
        head = b"POST / HTTP/1.1\r\nHost: example.test\r\nTransfer-Encoding: chunked\r\n\r\n"
        client.send(head + b"5;name=value\r\nhello\r\n0\r\nX-Checksum: 1\r\nContent-Length: 3\r\n\r\n")
        request = app.next_request()
        assert request.raw_body == b"5\r\nhello\r\n0\r\nX-Checksum: 1\r\n\r\n"
        request.answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(b"an", b"swer"))
        response = client.response()
        assert response.raw_body == chunks(b"an", b"swer")
        # In pieces of one byte, and with another request right behind it.
        for byte in head + b"3;a=b\r\nfoo\r\n0\r\nX-End: 1\r\n\r\n" + get("/after"):
            client.send(bytes([byte]))
        request = app.next_request()
        assert request.raw_body == b"3\r\nfoo\r\n0\r\nX-End: 1\r\n\r\n"
        request.answer(ok())
        assert client.response().status == 200
        assert app.next_request().line == b"GET /after HTTP/1.1"


def test_an_app_on_a_unix_socket(container, outside, loopbridge, tmp_path):
    path = str(tmp_path / "app.sock")
    with HTTPApp(container, address=path) as app:
        file = ConfigurationFile(tmp_path, route("8080", f"unix:{path}", protocol="http"), workers=1)
        loopbridge("--config", file.path)
        with Client(outside) as client:
            for number in range(2):
                client.send(post(b"body", f"/{number}"))
                request = app.next_request()
                assert (request.line, request.body) == (b"POST /%d HTTP/1.1" % number, b"body")
                request.answer(ok(b"hi"))
                assert client.response().body == b"hi"
        assert app.accepted == 1
