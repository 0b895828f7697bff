"""The number of system calls for a request over HTTP, with a connection to the app that is kept. As in
test_system_calls.py, everything is had ready while loopbridge stands still."""

import pytest

from support.apps import AppInHand
from support.http import get, ok
from support.namespaces import Cable
from support.processes import Frozen
from support.settings import IS_RELEASE
from support.sockets import connect, read_exactly, read_to_end
from support.system_calls import CountedCalls

pytestmark = pytest.mark.skipif(not IS_RELEASE, reason="LOOPBRIDGE_RELEASE=1 says that it is the release build")

# No more than are kept open to the app.
CLIENTS, ROUNDS = 32, 10
ANSWER = ok(b"hi\n")


def exchange(program, outside, app, clients, request):
    """Has all clients ask at once, and all answered at once."""
    with Frozen(program.pid):
        if clients is None:
            clients = [connect(outside, Cable.CONTAINER, 8080) for _ in range(CLIENTS)]
        for client in clients:
            client.sendall(request)
    inside = {}
    while len(inside) < CLIENTS:
        for connection in app.all:
            connection.setblocking(False)
            try:
                if data := connection.recv(65536):
                    inside[connection] = data
            except BlockingIOError:
                pass
    with Frozen(program.pid):
        for connection in inside:
            connection.sendall(ANSWER)
    return clients


def test_closing_clients(container, outside, loopbridge, tmp_path):
    """At most 8.8."""
    program = loopbridge("--workers", "1", "--access-log", "false", "8080:8000/http")
    request = get(fields=b"Connection: close\r\n")

    def round_trip():
        for client in exchange(program, outside, app, None, request):
            answer, failure = read_to_end(client)
            assert answer.endswith(b"\r\n\r\nhi\n") and failure is None
            client.close()

    with AppInHand(container) as app:
        round_trip()
        calls = CountedCalls(program.pid, tmp_path / "calls")
        for _ in range(ROUNDS):
            round_trip()
        calls = calls.end()
        assert len(app.all) == CLIENTS, "connections to the app are not kept"
    each = sum(calls.values()) / (CLIENTS * ROUNDS)
    print(f"{each:.2f}: {calls}")
    assert each <= 8.8, f"{each:.2f}: {calls}"


def test_kept_clients(container, outside, loopbridge, tmp_path):
    """At most 5.5."""
    program = loopbridge("--workers", "1", "--access-log", "false", "8080:8000/http")
    with AppInHand(container) as app:
        clients = [connect(outside, Cable.CONTAINER, 8080) for _ in range(CLIENTS)]

        def round_trip():
            exchange(program, outside, app, clients, get())
            for client in clients:
                assert read_exactly(client, len(ANSWER)) == ANSWER

        round_trip()
        calls = CountedCalls(program.pid, tmp_path / "calls")
        for _ in range(ROUNDS):
            round_trip()
        calls = calls.end()
    each = sum(calls.values()) / (CLIENTS * ROUNDS)
    print(f"{each:.2f}: {calls}")
    assert each <= 5.5, f"{each:.2f}: {calls}"
