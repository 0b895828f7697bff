"""A socket that lives on though a call on it has failed, for want of memory or because a firewall says no: both sides are reset,
lest a part of a stream look like all of it. The errors are injected into the running program (strace(1), --inject)."""

import shutil
import socket

import pytest

from support.apps import AppInHand
from support.configuration import ConfigurationFile, route
from support.http import HTTPApp, get
from support.namespaces import Cable
from support.sockets import connect, read_exactly, read_to_end, unacknowledged
from support.system_calls import FailingCalls
from support.tls import Authority, secure
from support.waiting import wait_until

pytestmark = pytest.mark.skipif(not shutil.which("strace"), reason="takes strace")


@pytest.fixture(params=["ENOMEM", "ENOBUFS", "EPERM"])
def failing(request):
    """Has a call fail once, from now on."""
    return lambda program, call, when="1": FailingCalls(program.pid, call, request.param, when)


@pytest.fixture
def bridge(loopbridge, tmp_path):
    def start(listen="8080", **settings):
        file = ConfigurationFile(tmp_path, route(listen, "localhost:8000", **settings), workers=1)
        return loopbridge("--config", file.path)
    return start


def assert_reset(connection):
    data, error = read_to_end(connection)
    assert isinstance(error, (ConnectionResetError, BrokenPipeError)), (data, error)
    return data


@pytest.mark.parametrize("sender", ["app", "client"])
@pytest.mark.parametrize("call", ["sendto", "recvfrom"])
def test_a_relay(container, outside, bridge, failing, call, sender):
    program = bridge()
    with AppInHand(container) as in_hand:
        client, app = connect(outside, Cable.CONTAINER, 8080), in_hand.next()
        source, sink = (app, client) if sender == "app" else (client, app)
        source.sendall(b"first")
        assert read_exactly(sink, 5) == b"first"
        with failing(program, call):
            source.sendall(b"second")
            assert_reset(sink)
            assert_reset(source)


def test_what_was_given_before_arrives(container, outside, bridge, failing):
    """The one whose words were lost had also been told something; that is not lost with them."""
    program = bridge()
    with AppInHand(container) as in_hand:
        client, app = connect(outside, Cable.CONTAINER, 8080, receive_buffer=4096), in_hand.next()
        client.sendall(b"a")
        assert app.recv(1) == b"a"
        app.sendall(b"x" * 30_000)
        assert read_exactly(client, 10) == b"x" * 10
        wait_until(lambda: not unacknowledged(app), "all of it is acknowledged")
        with failing(program, "sendto"):
            client.sendall(b"this is lost")
            assert assert_reset(client) == b"x" * 29_990
            assert_reset(app)


def test_telling_an_end(container, outside, bridge, failing):
    """An end that cannot be told would be waited for."""
    program = bridge()
    with AppInHand(container) as in_hand:
        client, app = connect(outside, Cable.CONTAINER, 8080), in_hand.next()
        client.sendall(b"all")
        assert read_exactly(app, 3) == b"all"
        with failing(program, "shutdown"):
            client.shutdown(socket.SHUT_WR)
            assert_reset(app)
            assert_reset(client)


@pytest.mark.parametrize("framing, is_shown", [
    (b"Content-Length: 11\r\n", True), (b"Connection: close\r\n", False)])
@pytest.mark.parametrize("call", ["sendto", "recvfrom"])
def test_an_answer(container, outside, bridge, failing, call, framing, is_shown):
    program = bridge(protocol="http")
    with HTTPApp(container) as in_hand:
        client = connect(outside, Cable.CONTAINER, 8080)
        client.sendall(get(fields=b"Connection: close\r\n"))
        request = in_hand.next_request()
        request.connection.sendall(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\nfirst")
        data = b""
        while not data.endswith(b"first"):
            data += client.recv(1000)
        with failing(program, call):
            request.connection.sendall(b"second")
            rest, failure = read_to_end(client)
            assert rest == b""
            # Where the client's socket has failed, nobody knows what it would take. Where the app's has, the framing shows it.
            if call == "recvfrom" and is_shown:
                assert failure is None
            else:
                assert isinstance(failure, ConnectionResetError)
            assert_reset(request.connection)
        request.done(close=True)


def test_a_request(container, outside, bridge, failing):
    """The app would wait for the rest, and the client for the answer."""
    program = bridge(protocol="http")
    with AppInHand(container) as in_hand:
        client = connect(outside, Cable.CONTAINER, 8080)
        client.sendall(get("/", b"Content-Length: 10\r\n", "POST"))
        app = in_hand.next()
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += app.recv(1000)
        with failing(program, "sendto"):
            client.sendall(b"0123456789")
            # The next send is the page.
            assert read_exactly(client, 13) == b"HTTP/1.1 502 "
            assert assert_reset(app) == b""


@pytest.mark.parametrize("call", ["sendto", "recvfrom"])
def test_tls(container, outside, bridge, failing, tmp_path, call):
    authority = Authority(tmp_path)
    pair = authority.issue("server", "DNS:example.test")
    program = bridge(listen="8443", tls=f"{{ certificate: {pair.certificate}, key: {pair.key} }}")
    with AppInHand(container) as in_hand:
        client = secure(connect(outside, Cable.CONTAINER, 8443), authority)
        app = in_hand.next()
        app.sendall(b"first")
        assert read_exactly(client, 5) == b"first"
        with failing(program, call):
            app.sendall(b"second")
            data, failure = read_to_end(client)
            # No close_notify. What the app had said is still there where only the receive has failed.
            assert data == (b"second" if call == "recvfrom" else b"") and failure is not None
            assert_reset(app)
