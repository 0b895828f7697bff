"""A request is sent again where a kept connection to the app has died, and only where that is safe."""

import json

import pytest

from support.http import Client, HTTPApp, get, ok
from support.sockets import reset


@pytest.fixture
def bridge(loopbridge):
    return loopbridge("--workers", "1", "8080:8000/http")


def use_once(app, client):
    """Leaves a connection to the app in the pool."""
    client.send(get("/warm-up"))
    app.next_request().answer(ok())
    assert client.response().status == 200


@pytest.mark.parametrize("end", ["end", "reset"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_sent_again(container, outside, bridge, end, method):
    with HTTPApp(container) as app, Client(outside) as client:
        use_once(app, client)
        client.send(get("/", method=method))
        first = app.next_request()
        assert first.number == 0
        if end == "reset":
            reset(first.connection)
        first.done(close=True)
        second = app.next_request()
        assert second.number == 1
        assert second.head == first.head
        second.answer(ok(b"" if method == "HEAD" else b"hi"))
        assert client.response(method).status == 200


@pytest.mark.parametrize("what", ["post", "body", "fresh", "begun", "twice"])
def test_not_sent_again(container, outside, bridge, what):
    with HTTPApp(container, reads_body=False) as app, Client(outside) as client:
        if what != "fresh":
            use_once(app, client)
        client.send({
            "post": get("/", method="POST"), "body": get("/", b"Content-Length: 3\r\n", "PUT") + b"abc",
        }.get(what, get("/")))
        request = app.next_request()
        if what == "begun":
            request.connection.sendall(b"H")
        request.done(close=True)
        if what == "twice":
            app.next_request().done(close=True)
        response = client.response()
        assert response.status == 502
        assert "without an answer" in json.loads(response.body)["error"]
        assert not app.has_request()
