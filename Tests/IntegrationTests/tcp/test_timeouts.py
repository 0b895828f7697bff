"""Connections on which nothing happens any more end, both sides with a reset."""

import socket
import time

import pytest

from support.apps import App, AppInHand, echo
from support.namespaces import Cable
from support.pairs import Pairs
from support.sockets import connect, read_exactly, read_to_end, wait_for_error
from support.waiting import wait_until


def assert_reset(connection):
    data, error = read_to_end(connection)
    assert isinstance(error, ConnectionResetError), f"ended after {data} with {error or 'a clean end'}"


def test_idle_timeout(container, outside, loopbridge):
    program = loopbridge("--idle-timeout", "1s", "8080:8000")
    with AppInHand(container) as in_hand:
        client, app = Pairs(program, outside, container, in_hand).make()
        started = time.monotonic()
        client.sendall(b"hello")
        assert read_exactly(app, 5) == b"hello"
        assert_reset(client)
        assert_reset(app)
        assert 0.9 < time.monotonic() - started < 8
        assert program.wait_for_closed()["end"] == "idle timeout"


def test_a_byte_now_and_then_keeps_it_open(container, outside, loopbridge):
    program = loopbridge("--idle-timeout", "3s", "8080:8000")
    with AppInHand(container) as in_hand:
        client, app = Pairs(program, outside, container, in_hand).make()
        # Only one direction is used, and the other counts as well.
        for number in range(17):
            client.sendall(b"a")
            assert app.recv(1) == b"a"
            time.sleep(0.25)  # 4.25 s in all, which is more than the timeout, in pauses that are much less
        assert not program.closed()
        app.sendall(b"still here")
        assert read_exactly(client, 10) == b"still here"
        client.close()


def test_half_close_timeout(container, outside, loopbridge):
    program = loopbridge("--half-close-timeout", "1s", "8080:8000")
    with AppInHand(container) as in_hand:
        pairs = Pairs(program, outside, container, in_hand)
        untouched, inside = pairs.make()
        client, app = pairs.make()
        client.shutdown(socket.SHUT_WR)
        assert app.recv(1) == b""
        # The app does not end: the connection does.
        assert_reset(client)
        assert wait_for_error(app) is not None
        assert program.wait_for_closed()["end"] == "half-close timeout"
        # One that nobody has half-closed goes on.
        untouched.sendall(b"hello")
        assert read_exactly(inside, 5) == b"hello"
        untouched.close()


def test_half_closed_but_not_idle(container, outside, loopbridge):
    """A long download after the client has finished sending is not cut off."""
    def drips(connection):
        assert read_to_end(connection) == (b"go", None)
        for _ in range(17):
            connection.sendall(b"a")
            time.sleep(0.25)  # 4.25 s in all, which is more than the timeout, in pauses that are much less

    loopbridge("--half-close-timeout", "3s", "8080:8000")
    with App(container, drips), connect(outside, Cable.CONTAINER, 8080) as client:
        client.sendall(b"go")
        client.shutdown(socket.SHUT_WR)
        assert read_to_end(client) == (b"a" * 17, None)


def test_client_that_vanishes(container, outside, loopbridge):
    """The cable is cut: no end and no reset ever arrives."""
    program = loopbridge("--idle-timeout", "2s", "8080:8000")
    with AppInHand(container) as in_hand:
        client, app = Pairs(program, outside, container, in_hand).make()
        client.sendall(b"hello")
        assert read_exactly(app, 5) == b"hello"
        outside.ip("link", "set", "eth0", "down")
        app.sendall(b"an answer that nobody gets")
        assert program.wait_for_closed()["end"] == "idle timeout"
        assert_reset(app)


@pytest.mark.parametrize("direction", ["to the app", "to the client"])
def test_idle_timeout_while_bytes_wait(container, outside, loopbridge, direction):
    """A reader that has stopped for good counts as idle, however much is waiting for it."""
    program = loopbridge("--idle-timeout", "1s", "8080:8000")
    with AppInHand(container) as in_hand:
        client, app = Pairs(program, outside, container, in_hand).make(receive_buffer=4096)
        sender = client if direction == "to the app" else app
        sender.sendall(b"a little")
        sender.settimeout(0.3)
        with pytest.raises(OSError):  # it is full, or already reset
            while True:
                sender.send(bytes(1 << 20))
        assert program.wait_for_closed()["end"] == "idle timeout"


def test_idle_timeout_of_many(container, outside, loopbridge):
    program = loopbridge("--idle-timeout", "1s", "8080:8000")
    with App(container, echo) as app:
        clients = [connect(outside, Cable.CONTAINER, 8080) for _ in range(300)]
        program.wait_for_closed(300)
        for client in clients:
            assert_reset(client)
            client.close()
        wait_until(lambda: app.connections == 0, "the app has lost them all")
