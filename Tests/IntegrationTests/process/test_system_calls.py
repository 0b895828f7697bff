"""The number of system calls for a connection and for a request. It does not vary, unlike time; waiting for events does, with who
is faster, so everything is had ready while loopbridge stands still, and many are served at once."""

import pytest

from support.actors.proxy_protocol import binary, read_header
from support.apps import AppInHand
from support.namespaces import Cable
from support.processes import Frozen
from support.settings import IS_RELEASE
from support.sockets import connect, read_exactly, read_to_end
from support.system_calls import CountedCalls
from support.waiting import wait_until

pytestmark = pytest.mark.skipif(not IS_RELEASE, reason="LOOPBRIDGE_RELEASE=1 says that it is the release build")

CLIENTS, ROUNDS = 64, 10
REQUEST, ANSWER = b"question", b"answer"


def connections(pid):
    """The connections in the program's network namespace that somebody has yet to close, as the kernel lists them."""
    listening, closed = "0A", "06"
    with open(f"/proc/{pid}/net/tcp") as lines:
        return [line for line in list(lines)[1:] if line.split()[3] not in (listening, closed)]


def calls_of_a_connection(program, outside, app, path, request=REQUEST, received=None):
    """The calls for a connection with one request, where the app closes first, as HTTP servers do.

    received: what of the request the app gets; by default all of it.
    """
    calls = CountedCalls(program.pid, path)
    for _ in range(ROUNDS):
        with Frozen(program.pid):
            clients = [connect(outside, Cable.CONTAINER, 8080) for _ in range(CLIENTS)]
            for client in clients:
                client.sendall(request)
        inside = [app.next() for _ in range(CLIENTS)]
        for connection in inside:
            if received is None:
                assert read_exactly(connection, len(request)) == request
            else:
                received(connection)
        with Frozen(program.pid):
            for connection in inside:
                connection.sendall(ANSWER)
                connection.close()
        for client in clients:
            assert read_to_end(client) == (ANSWER, None)
        with Frozen(program.pid):
            for client in clients:
                client.close()
    wait_until(lambda: not connections(program.pid), "all connections are closed")
    calls = calls.end()
    return sum(calls.values()) / (CLIENTS * ROUNDS), calls


def test_one_request_a_connection(container, outside, loopbridge, tmp_path):
    """At most 14."""
    program = loopbridge("--workers", "1", "--access-log", "false", "8080:8000")
    with AppInHand(container) as app:
        each, calls = calls_of_a_connection(program, outside, app, tmp_path / "calls")
    assert each <= 14, f"{each:.2f}: {calls}"


@pytest.mark.parametrize("accepts, sends, most", [(True, False, 16), (False, True, 15), (True, True, 16)])
def test_one_request_a_connection_with_proxy_headers(container, outside, loopbridge, tmp_path, accepts, sends, most):
    """A header that is accepted costs a look and a read, and one that is sent asks for our address, if none has said it."""
    options = ["--accept-proxy-protocol", "true", "--proxy-protocol-from", Cable.OUTSIDE] if accepts else []
    options += ["--send-proxy-protocol", "v2"] if sends else []
    program = loopbridge("--workers", "1", "--access-log", "false", *options, "8080:8000")

    def received(connection):
        if sends:
            read_header(connection)
        assert read_exactly(connection, len(REQUEST)) == REQUEST

    header = binary("192.0.2.1", "198.51.100.2") if accepts else b""
    with AppInHand(container) as app:
        each, calls = calls_of_a_connection(program, outside, app, tmp_path / "calls", header + REQUEST, received)
    assert each <= most, f"{each:.2f}: {calls}"


def test_request_on_a_kept_connection(container, outside, loopbridge, tmp_path):
    """At most 4.3."""
    program = loopbridge("--workers", "1", "--access-log", "false", "8080:8000")
    with AppInHand(container) as app:
        clients = [connect(outside, Cable.CONTAINER, 8080) for _ in range(CLIENTS)]
        inside = [app.next() for _ in range(CLIENTS)]

        def round_trip():
            for senders, receivers, message in ((clients, inside, REQUEST), (inside, clients, ANSWER)):
                with Frozen(program.pid):
                    for sender in senders:
                        sender.sendall(message)
                for receiver in receivers:
                    assert read_exactly(receiver, len(message)) == message

        # The first ones switch Nagle's algorithm off.
        for _ in range(2):
            round_trip()
        calls = CountedCalls(program.pid, tmp_path / "calls")
        for _ in range(ROUNDS):
            round_trip()
        calls = calls.end()
    each = sum(calls.values()) / (CLIENTS * ROUNDS)
    assert each <= 4.3, f"{each:.2f}: {calls}"
