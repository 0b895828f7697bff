"""More clients than there is room for: they wait to be accepted, and all are served in the end."""

import selectors
import time

import pytest

from support.apps import App, echo
from support.namespaces import Cable
from support.sockets import connect, read_exactly
from support.waiting import stays_true, wait_until

CLIENTS = 200


def crowd(outside, count):
    """So many clients, each of which has sent a word."""
    clients = []
    for _ in range(count):
        client = connect(outside, Cable.CONTAINER, 8080)
        client.sendall(b"hello")
        clients.append(client)
    return clients


def serve_in_any_order(clients, limit=20):
    """Takes the answers as they come, and leaves as soon as it has one, which makes room for the next."""
    deadline = time.monotonic() + limit
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(1)
            for key, _ in ready:
                assert read_exactly(key.fileobj, 5) == b"hello"
                selector.unregister(key.fileobj)
                key.fileobj.close()
            left = len(selector.get_map())
            assert time.monotonic() < deadline, f"{left} of {len(clients)} clients are not served"


def serve_all(program, app, outside, fewest, most, warning):
    """200 clients come at once, of whom fewer fit; they get in as the others leave."""
    clients = crowd(outside, CLIENTS)
    program.wait_for_message(warning)
    wait_until(lambda: app.accepted >= fewest, "the first are let in")
    before = program.cpu_seconds()
    stays_true(lambda: app.accepted <= most, "more are let in than there is room for", 1)
    assert program.cpu_seconds() - before < 0.3, "it spins while they wait"
    serve_in_any_order(clients)
    program.wait_for_closed(CLIENTS)
    assert {line["end"] for line in program.closed()} == {"finished"}
    warnings = len(program.messages(warning))
    assert warnings == 1, f"{warnings} warnings about one crowd"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_max_connections(container, outside, loopbridge, workers):
    program = loopbridge("--workers", workers, "--max-connections", "10", "8080:8000")
    with App(container, echo) as app:
        serve_all(program, app, outside, 10, 10, "max_connections reached")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_descriptor_limit(container, outside, loopbridge, workers):
    program = loopbridge("--workers", workers, "8080:8000", wrapper=["prlimit", "--nofile=64:64"])
    with App(container, echo) as app:
        serve_all(program, app, outside, 4, 31, "limit of open files")


def test_limit_holds_while_the_app_is_away(container, outside, loopbridge):
    """Clients that wait for the app have their places; those above wait for a place, and all are served."""
    program = loopbridge("--max-connections", "10", "8080:8000")
    clients = crowd(outside, 50)
    program.wait_for_message("max_connections reached")
    with App(container, echo):
        serve_in_any_order(clients)
