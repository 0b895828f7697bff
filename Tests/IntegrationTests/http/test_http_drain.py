"""The end of loopbridge or of a route, as HTTP clients see it."""

import signal

import pytest

from support.configuration import ConfigurationFile, route
from support.http import Client, HTTPApp, answers, get, ok
from support.namespaces import Cable
from support.sockets import connect, read_to_end
from support.tls import Authority, secure


@pytest.fixture(params=["stop", "reload"])
def program(request, loopbridge, tmp_path):
    """Loopbridge with a way to end its route."""
    file = ConfigurationFile(tmp_path, route("8080", "localhost:8000", protocol="http"), workers=1, drain="10s")
    program = loopbridge("--config", file.path)

    def drain():
        if request.param == "stop":
            program.signal(signal.SIGTERM)
        else:
            file.set(route("8081", "localhost:8000", protocol="http"), workers=1, drain="10s")
            program.signal(signal.SIGHUP)
    program.drain = drain
    program.stops = request.param == "stop"
    yield program
    if request.param == "stop":
        # A second signal would end it at once.
        program.wait()


def test_idle_connections_end_at_once(container, outside, program):
    with HTTPApp(container, answers(ok())), Client(outside) as kept, Client(outside) as silent:
        assert kept.ask(get()).status == 200
        program.drain()
        assert kept.rest() == b""
        if not program.stops:
            # The request that it was about to send is answered at a reload too; its next connection is the new route's.
            response = silent.ask(get())
            assert response.status == 200
            assert response[b"connection"] == b"close"
        assert silent.rest() == b""


@pytest.mark.parametrize("settings", [{}, {"tls": True}])
def test_a_first_request_is_served_though_its_route_changes(container, outside, loopbridge, tmp_path, settings):
    """A client that has connected, and not asked yet when the reload comes."""
    def own(bound):
        tls = f"{{ certificate: {pair.certificate}, key: {pair.key} }}" if settings else None
        return route("8080", "localhost:8000", "web", protocol="http", max_connections=bound, tls=tls)

    pair = Authority(tmp_path).issue("example.test", "DNS:example.test")
    file = ConfigurationFile(tmp_path, own(100), workers=1)
    program = loopbridge("--config", file.path)
    with HTTPApp(container, answers(ok())), connect(outside, Cable.CONTAINER, 8080) as connection:
        client = secure(connection) if settings else connection
        file.set(own(200), workers=1)
        program.signal(signal.SIGHUP)
        program.wait_for_message("reloaded: ")
        client.sendall(get())
        data, error = read_to_end(client)
        assert error is None
        assert data.startswith(b"HTTP/1.1 200 ")
        client.close()


def test_a_request_under_way_is_finished(container, outside, program):
    with HTTPApp(container) as app, Client(outside) as client, Client(outside) as other:
        other.send(get("/other"))
        app.next_request().answer(ok())
        assert other.response().status == 200
        client.send(get())
        request = app.next_request()
        program.drain()
        # The end of an idle connection tells that the drain has begun.
        assert other.rest() == b""
        request.answer(ok(b"in the end"))
        response = client.response()
        assert response.body == b"in the end"
        assert response[b"connection"] == b"close"
        assert client.rest() == b""


def test_a_body_under_way_is_finished(container, outside, program):
    with HTTPApp(container) as app, Client(outside) as client, Client(outside) as other:
        other.send(get("/other"))
        app.next_request().answer(ok())
        assert other.response().status == 200
        client.send(get())
        request = app.next_request()
        request.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234")
        assert client._reader.head()
        program.drain()
        assert other.rest() == b""
        request.answer(b"56789")
        assert client._reader.exactly(10) == b"0123456789"
        assert client.rest() == b""


def test_connections_to_the_app_are_closed(container, outside, program):
    with HTTPApp(container) as app, Client(outside) as client:
        client.send(get())
        request = app.next_request()
        request.connection.settimeout(10)
        request.connection.sendall(ok())
        assert client.response().status == 200
        program.drain()
        assert request.connection.recv(1) == b""
        request.done(close=True)
