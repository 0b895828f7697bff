"""More clients than there is room for: they wait to be accepted, and all are served in the end."""

import pytest

from support.apps import App, echo
from support.namespaces import Cable
from support.sockets import connect, read_exactly
from support.waiting import stays_true, wait_until

CLIENTS = 200


def serve_all(program, app, outside, limit, warning):
    """200 clients come at once, of whom `limit` fit; whenever one has been served, the next gets its turn."""
    clients = []
    for _ in range(CLIENTS):
        client = connect(outside, Cable.CONTAINER, 8080, timeout=20)
        client.sendall(b"hello")
        clients.append(client)
    program.wait_for_message(warning)
    wait_until(lambda: app.accepted > 0, "the first are served")
    before = program.cpu_seconds()
    stays_true(lambda: limit(app.accepted), "more are let in than there is room for", 1)
    assert program.cpu_seconds() - before < 0.3, "it spins while they wait"
    for client in clients:
        assert read_exactly(client, 5) == b"hello"
        client.close()
    program.wait_for_closed(CLIENTS)
    assert {line["end"] for line in program.closed()} == {"finished"}
    assert len(program.messages(warning)) == 1, "one warning is enough for one crowd"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_max_connections(container, outside, loopbridge, workers):
    program = loopbridge("--workers", workers, "--max-connections", "10", "8080:8000")
    with App(container, echo) as app:
        serve_all(program, app, outside, lambda accepted: accepted == 10, "max_connections reached")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_descriptor_limit(container, outside, loopbridge, workers):
    program = loopbridge("--workers", workers, "8080:8000", wrapper=["prlimit", "--nofile=64:64"])
    with App(container, echo) as app:
        serve_all(program, app, outside, lambda accepted: 4 <= accepted <= 31, "limit of open files")


def test_warns_again_about_the_next_crowd(container, outside, loopbridge):
    program = loopbridge("--max-connections", "5", "8080:8000")
    with App(container, echo):
        for crowd in (1, 2):
            clients = [connect(outside, Cable.CONTAINER, 8080) for _ in range(8)]
            program.wait_for_message("max_connections reached", count=crowd)
            for client in clients:
                client.sendall(b"hello")
                assert read_exactly(client, 5) == b"hello"
                client.close()
            program.wait_for_closed(8 * crowd)


def test_limit_holds_while_the_app_is_away(container, outside, loopbridge):
    """Clients that wait for the app have their places; those above wait for a place, and all are served."""
    program = loopbridge("--max-connections", "10", "8080:8000")
    clients = [connect(outside, Cable.CONTAINER, 8080, timeout=20) for _ in range(50)]
    program.wait_for_message("max_connections reached")
    with App(container, echo):
        for client in clients:
            client.sendall(b"hello")
            assert read_exactly(client, 5) == b"hello"
            client.close()
