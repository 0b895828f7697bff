"""upstream_connections: the app gets no more connections than it may have, and clients queue for one in order."""

import socket
import threading
import time

import pytest

from support.actors.counting import CountingApp
from support.actors.restartable import RestartableApp
from support.apps import AppInHand
from support.namespaces import Cable
from support.sockets import connect, read_exactly, read_to_end, reset, wait_for_error
from support.waiting import stays_true, wait_until


def assert_reset(client):
    data, error = read_to_end(client)
    assert isinstance(error, ConnectionResetError), f"ended after {data} with {error or 'a clean end'}"


@pytest.mark.parametrize("spare", ["0", "3"])
def test_the_app_never_sees_one_more(container, outside, loopbridge, spare):
    """Eight workers, and clients that come from all sides, some of whom leave in between."""
    loopbridge("--workers", "8", "--upstream-connections", "4", "--spare", spare, "8080:8000")
    failures = []

    def visit(number):
        try:
            for turn in range(25):
                client = connect(outside, Cable.CONTAINER, 8080, timeout=20)
                word = b"%d-%d" % (number, turn)
                client.sendall(word)
                if turn % 5 == number % 5:
                    reset(client)
                    continue
                answer = read_to_end(client)
                if answer != (b"served " + word, None):
                    failures.append(answer)
                client.close()
        except OSError as error:
            failures.append(error)

    with CountingApp(container) as app:
        threads = [threading.Thread(target=visit, args=(number,)) for number in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(50)
        assert not failures, failures[:5]
        assert app.most == 4
        assert app.accepted >= 24 * 20


def test_the_order_is_kept(container, outside, loopbridge):
    loopbridge("--workers", "1", "--upstream-connections", "4", "8080:8000")
    words = [b"%03d" % number for number in range(100)]
    clients = []
    for word in words:
        client = connect(outside, Cable.CONTAINER, 8080, timeout=20)
        client.sendall(word)
        clients.append(client)
    # A client that leaves the queue leaves no gap in it.
    for number in range(10, 100, 10):
        reset(clients[number])
    with CountingApp(container) as app:
        for number, client in enumerate(clients):
            if number % 10 or number == 0:
                assert read_to_end(client) == (b"served " + words[number], None)
                client.close()
    assert app.order == sorted(app.order) and len(app.order) >= 91
    assert app.most <= 4


def test_a_full_queue_turns_away(container, outside, loopbridge):
    program = loopbridge("--workers", "1", "--upstream-connections", "1", "--queue", "2", "8080:8000")
    with AppInHand(container) as app:
        clients = []
        for _ in range(3):
            clients.append(connect(outside, Cable.CONTAINER, 8080))
        inside = app.next()
        for _ in range(3):
            try:
                with connect(outside, Cable.CONTAINER, 8080) as surplus:
                    assert_reset(surplus)
            except ConnectionResetError:
                # The reset may overtake connect(2)'s own return.
                pass
        program.wait_for_closed(3)
        assert {line["end"] for line in program.closed()} == {"the queue for the app is full"}
        assert len(program.messages("the queue for the app is full: further clients are reset")) == 1
        # Those who were in before have their turn.
        for client in clients:
            client.sendall(b"word")
            assert read_exactly(inside, 4) == b"word"
            inside.close()
            assert read_to_end(client) == (b"", None)
            client.close()
            if client is not clients[-1]:
                inside = app.next()


def test_patience_has_its_end(container, outside, loopbridge):
    program = loopbridge("--upstream-connections", "1", "--queue-timeout", "500ms", "8080:8000")
    with AppInHand(container) as app:
        first = connect(outside, Cable.CONTAINER, 8080)
        inside = app.next()
        second = connect(outside, Cable.CONTAINER, 8080)
        started = time.monotonic()
        assert_reset(second)
        assert 0.4 < time.monotonic() - started < 3
        assert program.wait_for_closed()["end"] == "waited too long in the queue for the app"
        inside.sendall(b"hello")
        assert read_exactly(first, 5) == b"hello"


def test_who_leaves_and_who_stays(container, outside, loopbridge):
    """A reset, or an end without a word, leaves the queue; whoever has finished sending its request stays."""
    program = loopbridge("--workers", "1", "--upstream-connections", "1", "8080:8000")
    with AppInHand(container) as app:
        first = connect(outside, Cable.CONTAINER, 8080)
        inside = app.next()
        broken, silent, stays = (connect(outside, Cable.CONTAINER, 8080) for _ in range(3))
        broken.sendall(b"never mind")
        stays.sendall(b"request")
        stays.shutdown(socket.SHUT_WR)
        reset(broken)
        silent.close()
        program.wait_for_closed(2)
        assert {line["end"] for line in program.closed()} == {
            "client: Connection reset by peer", "the client left"}
        stays_true(lambda: app.accepted == 1, "one too many has got through", 0.3)
        first.close()
        inside.close()
        inside = app.next()
        assert read_to_end(inside) == (b"request", None)
        inside.sendall(b"answer")
        inside.close()
        assert read_to_end(stays) == (b"answer", None)
        program.wait_for_closed(4)
        assert app.accepted == 2


def test_hold_and_queue_together(container, outside, loopbridge):
    """All wait for an app that is away for longer than the queue's patience, and all are served in order."""
    program = loopbridge(
        "--workers", "1", "--upstream-connections", "2", "--queue-timeout", "1s", "--hold", "20s", "8080:8000")
    words = [b"%02d" % number for number in range(30)]
    clients = []
    for word in words:
        client = connect(outside, Cable.CONTAINER, 8080, timeout=20)
        client.sendall(word)
        clients.append(client)
    program.wait_for_message("is not listening")
    stays_true(lambda: not program.closed(), "somebody was turned away", 2)
    with CountingApp(container) as app:
        for word, client in zip(words, clients):
            assert read_to_end(client) == (b"served " + word, None)
            client.close()
        assert app.order == words
        assert app.most <= 2


def test_places_survive_an_app_that_crashes(container, outside, loopbridge):
    loopbridge("--upstream-connections", "2", "8080:8000")
    with RestartableApp(container) as app:
        for _ in range(5):
            clients = [connect(outside, Cable.CONTAINER, 8080) for _ in range(2)]
            for client in clients:
                client.sendall(b"who")
                assert read_to_line(client) == app.pid
            app.kill()
            for client in clients:
                read_to_end(client)
                client.close()
            app.start()
            app.wait_until_listening()


def read_to_line(client):
    line = b""
    while not line.endswith(b"\n"):
        line += read_exactly(client, 1)
    return int(line)


def has_spoken(connection):
    """Whether there is something to be read."""
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
    except BlockingIOError:
        return False


def test_a_drain_ends_the_queue(container, outside, loopbridge):
    program = loopbridge("--upstream-connections", "1", "--drain", "500ms", "--spare", "1", "8080:8000")
    with AppInHand(container) as app:
        clients = [connect(outside, Cable.CONTAINER, 8080) for _ in range(3)]
        for client in clients:
            client.sendall(b"a")
        # It may be the second: another worker's spare one is given up for a client.
        wait_until(lambda: any(has_spoken(connection) for connection in app.all), "a client is served")
        assert program.terminate(5) == 0
        for client in clients:
            assert wait_for_error(client) is not None
            client.close()
