"""Reset in, reset out: a truncated stream never looks finished."""

import errno
import socket

import pytest

from support.apps import App, AppInHand
from support.namespaces import Cable
from support.pairs import Pairs
from support.processes import Frozen
from support.sockets import connect, read_exactly, read_to_end, reset, resets_when_closed, wait_for_error

HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"x" * 1000


@pytest.fixture
def pairs(container, outside, loopbridge):
    program = loopbridge("8080:8000")
    with AppInHand(container) as app:
        yield Pairs(program, outside, container, app)


def assert_reset(connection, what=""):
    data, error = read_to_end(connection)
    assert isinstance(error, ConnectionResetError), f"{what}: ended after {len(data)} bytes with {error or 'a clean end'}"
    connection.close()
    return data


def test_app_answers_half_and_resets(container, outside, loopbridge):
    def answers_half(connection):
        connection.recv(1000)
        connection.sendall(HALF)
        resets_when_closed(connection)

    loopbridge("8080:8000")
    with App(container, answers_half):
        for round in range(20):
            client = connect(outside, Cable.CONTAINER, 8080)
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert_reset(client, f"round {round}")


def test_what_came_before_the_reset_is_delivered(pairs):
    for sender_is_app in (True, False) * 10:
        client, app = pairs.make()
        sender, receiver = (app, client) if sender_is_app else (client, app)
        sender.sendall(HALF)
        assert read_exactly(receiver, len(HALF)) == HALF
        reset(sender)
        assert_reset(receiver)


def test_client_resets_in_mid_request(pairs):
    for round in range(20):
        client, app = pairs.make()
        client.sendall(HALF)
        reset(client)
        assert_reset(app, f"round {round}")


@pytest.mark.parametrize("sender", ["app", "client"])
def test_data_and_reset_in_the_same_instant(pairs, sender):
    """The proxy stands still until both have arrived, so that one event stands for both: 200 times, 20 at once."""
    for _ in range(10):
        made = [pairs.make() for _ in range(20)]
        ends = [(app, client) if sender == "app" else (client, app) for client, app in made]
        for source, sink in ends:
            # Something has gone through, so the relay is up and idle.
            source.sendall(b"a")
            assert sink.recv(10) == b"a"
        ports = {client.getsockname()[1] if sender == "client" else app.getpeername()[1] for client, app in made}
        with Frozen(pairs.program.pid):
            for source, _ in ends:
                source.sendall(b"half of it")
                reset(source)
            pairs.wait_until_resets_arrived(ports, 8000 if sender == "app" else 8080)
        for _, sink in ends:
            assert assert_reset(sink) == b"half of it"


def test_reset_of_a_connection_that_is_just_being_made(container, outside, loopbridge):
    """Everything has happened by the time that the proxy accepts: connect, request, reset."""
    program = loopbridge("8080:8000")
    with AppInHand(container) as app:
        for _ in range(50):
            with Frozen(program.pid):
                client = connect(outside, Cable.CONTAINER, 8080)
                client.sendall(HALF)
                reset(client)
            assert_reset(app.next())


def test_reset_after_the_clients_half_close(pairs):
    client, app = pairs.make()
    client.sendall(b"request")
    client.shutdown(socket.SHUT_WR)
    assert read_to_end(app) == (b"request", None)
    app.sendall(b"first part")
    assert read_exactly(client, 10) == b"first part"
    reset(client)
    # The app finds out without having sent anything more.
    assert wait_for_error(app) in (errno.ECONNRESET, errno.EPIPE)


def test_reset_after_the_apps_half_close(pairs):
    client, app = pairs.make()
    app.sendall(b"greeting")
    app.shutdown(socket.SHUT_WR)
    assert read_to_end(client) == (b"greeting", None)
    client.sendall(b"first part")
    assert read_exactly(app, 10) == b"first part"
    reset(app)
    assert wait_for_error(client) in (errno.ECONNRESET, errno.EPIPE)


def test_app_that_closes_with_unread_data_resets_the_client(pairs):
    """close() with unread bytes is a reset: the app has not seen all of the request."""
    for _ in range(20):
        client, app = pairs.make()
        client.sendall(b"a request that nobody reads")
        read_exactly(app, 1)
        app.close()
        assert_reset(client)
