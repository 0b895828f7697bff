"""Apps that do not behave: the client learns what happened, and the next one is served."""

import socket

from support.apps import App, AppInHand, echo
from support.namespaces import Cable
from support.pairs import Pairs
from support.sockets import connect, read_exactly, read_to_end, reset, resets_when_closed
from support.waiting import wait_until


def test_app_that_closes_at_once(container, outside, loopbridge):
    program = loopbridge("8080:8000")
    with App(container, lambda connection: None) as app:
        for _ in range(100):
            with connect(outside, Cable.CONTAINER, 8080) as client:
                assert read_to_end(client) == (b"", None)
        assert app.accepted == 100
    program.wait_for_closed(100)


def test_app_that_resets_at_once(container, outside, loopbridge):
    program = loopbridge("8080:8000")
    with App(container, resets_when_closed) as app:
        for _ in range(100):
            try:
                with connect(outside, Cable.CONTAINER, 8080) as client:
                    data, error = read_to_end(client)
            except ConnectionResetError:
                continue  # faster than connect()
            assert data == b"" and isinstance(error, ConnectionResetError), error
        assert app.accepted == 100
    program.wait_for_closed(100)


def test_app_that_never_reads(container, outside, loopbridge):
    """The client can send only so much; others are served meanwhile, and its leaving is passed on."""
    program = loopbridge("8080:8000")
    with AppInHand(container) as in_hand:
        pairs = Pairs(program, outside, container, in_hand)
        client, app = pairs.make()
        client.settimeout(0.5)
        sent, limit = 0, 256 << 20
        try:
            while sent < limit:
                sent += client.send(bytes(1 << 20))
        except socket.timeout:
            pass
        assert sent < limit, "somebody takes everything"
        for _ in range(10):
            other, inside = pairs.make()
            other.sendall(b"hello")
            assert read_exactly(inside, 5) == b"hello"
            other.close()
            inside.close()
        reset(client)
        data, error = read_to_end(app)
        assert isinstance(error, ConnectionResetError)
        app.close()


def test_app_that_answers_without_reading(container, outside, loopbridge):
    """The answer arrives although the request can not be delivered: an early error page, for example."""
    def answers(connection):
        connection.sendall(b"413 Too Large")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1 << 20):
            pass

    loopbridge("8080:8000")
    with App(container, answers), connect(outside, Cable.CONTAINER, 8080) as client:
        for _ in range(16):
            client.sendall(bytes(1 << 20))
        assert read_exactly(client, 13) == b"413 Too Large"


def test_clients_that_only_connect(container, outside, loopbridge):
    """Port scanners, health checks of a load balancer: connect, and away."""
    program = loopbridge("8080:8000")
    with App(container, echo) as app:
        for number in range(200):
            client = connect(outside, Cable.CONTAINER, 8080)
            reset(client) if number % 2 else client.close()
        program.wait_for_closed(200)
        wait_until(lambda: app.connections == 0, "the app has lost them all")
        with connect(outside, Cable.CONTAINER, 8080) as client:
            client.sendall(b"hello")
            assert read_exactly(client, 5) == b"hello"
    assert program.is_running


def test_single_threaded_app(container, outside, loopbridge):
    """One that serves one connection at a time gets one connection for each client, not more."""
    listener = container.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 8000))
    listener.listen(10)
    loopbridge("8080:8000")
    clients = [connect(outside, Cable.CONTAINER, 8080) for _ in range(5)]
    for client in clients:
        client.sendall(b"hello")
    for _ in clients:
        connection, _ = listener.accept()
        connection.settimeout(10)
        connection.sendall(read_exactly(connection, 5))
        connection.close()
    for client in clients:
        assert read_to_end(client) == (b"hello", None)
        client.close()
    listener.settimeout(0.3)
    try:
        listener.accept()
        raise AssertionError("a connection that no client asked for")
    except socket.timeout:
        listener.close()
