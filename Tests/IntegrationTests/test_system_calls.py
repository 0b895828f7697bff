"""How many system calls a connection and a request cost. They do not vary, unlike time; waiting for events does, with who
is faster, so everything is had ready while loopbridge stands still, and many are served at once."""

import pytest

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


def test_one_request_a_connection(container, outside, loopbridge, tmp_path):
    """At most 14, where the app closes first, as HTTP servers do."""
    program = loopbridge("--workers", "1", "--access-log", "false", "8080:8000")
    with AppInHand(container) as app:
        descriptors = program.open_descriptors()
        calls = CountedCalls(program.pid, tmp_path / "calls")
        for _ in range(ROUNDS):
            with Frozen(program.pid):
                clients = [connect(outside, Cable.CONTAINER, 8080) for _ in range(CLIENTS)]
                for client in clients:
                    client.sendall(REQUEST)
            inside = [app.next() for _ in range(CLIENTS)]
            for connection in inside:
                assert read_exactly(connection, len(REQUEST)) == REQUEST
            with Frozen(program.pid):
                for connection in inside:
                    connection.sendall(ANSWER)
                    connection.close()
            for client in clients:
                assert read_to_end(client) == (ANSWER, None)
            with Frozen(program.pid):
                for client in clients:
                    client.close()
        wait_until(lambda: program.open_descriptors() == descriptors, "all connections are closed")
        calls = calls.end()
    each = sum(calls.values()) / (CLIENTS * ROUNDS)
    assert each <= 14, f"{each:.2f}: {calls}"


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
