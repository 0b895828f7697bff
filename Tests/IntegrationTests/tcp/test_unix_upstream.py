"""An app that listens on a Unix socket."""

import socket

import pytest

from support.apps import App, AppInHand, echo
from support.namespaces import Cable
from support.pairs import Pairs
from support.processes import Frozen
from support.sockets import connect, read_exactly, read_to_end, reset


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "app.sock")


def test_bytes_and_ends(container, outside, loopbridge, path):
    loopbridge(f"8080:unix:{path}")
    with App(container, echo, address=path), connect(outside, Cable.CONTAINER, 8080) as client:
        client.sendall(b"request")
        client.shutdown(socket.SHUT_WR)
        assert read_to_end(client) == (b"request", None)


def test_waits_for_the_socket_file(container, outside, loopbridge, path):
    loopbridge(f"8080:unix:{path}")
    with connect(outside, Cable.CONTAINER, 8080) as client:
        client.sendall(b"request")
        client.shutdown(socket.SHUT_WR)
        with App(container, echo, address=path):
            assert read_to_end(client) == (b"request", None)


def test_app_that_leaves_bytes_unread_resets_the_client(container, outside, loopbridge, path):
    """The one way in which a Unix socket resets: closing it with unread bytes (unix(7), ECONNRESET)."""
    program = loopbridge(f"8080:unix:{path}")
    with AppInHand(container, address=path) as in_hand:
        pairs = Pairs(program, outside, container, in_hand)
        for frozen in (False, True) * 20:
            client, app = pairs.make()
            client.sendall(b"a request that nobody reads")
            read_exactly(app, 1)
            if frozen:
                with Frozen(program.pid):
                    app.sendall(b"half an answer")
                    app.close()
            else:
                app.sendall(b"half an answer")
                app.close()
            data, error = read_to_end(client)
            assert isinstance(error, ConnectionResetError), f"looks finished after {data}"
            client.close()


def test_client_that_resets_is_gone_for_the_app(container, outside, loopbridge, path):
    """A Unix socket cannot be reset at will, but where the app has sent something, it can tell."""
    program = loopbridge(f"8080:unix:{path}")
    with AppInHand(container, address=path) as in_hand:
        pairs = Pairs(program, outside, container, in_hand)
        client, app = pairs.make()
        client.sendall(b"half a request")
        read_exactly(app, 14)
        reset(client)
        assert read_to_end(app)[0] == b""
        program.wait_for_closed()
        with pytest.raises(BrokenPipeError):
            app.sendall(b"answer")
        app.close()
