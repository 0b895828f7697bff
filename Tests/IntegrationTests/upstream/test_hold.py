"""Clients wait for an app that is not listening yet, and are connected the moment it is."""

import socket
import threading
import time

import pytest

from support.apps import App, echo, greets
from support.namespaces import Cable
from support.sockets import connect, read_exactly, read_to_end, reset
from support.waiting import stays_true, wait_until

CLIENTS = 200


def ask(outside, count, word=b"hello"):
    """So many clients that have sent a word and wait for the answer."""
    clients = []
    for _ in range(count):
        client = connect(outside, Cable.CONTAINER, 8080, timeout=20)
        client.sendall(word)
        clients.append(client)
    return clients


def attempts(container):
    """Returns the number of attempts to connect from inside the container; the clients are outside."""
    return container.counter("Tcp", "ActiveOpens") + container.counter("Tcp", "AttemptFails")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_all_who_wait_are_answered(container, outside, loopbridge, workers):
    program = loopbridge("--workers", workers, "8080:8000")
    clients = ask(outside, CLIENTS)
    program.wait_for_message("not listening")
    # The app takes its time; the clients keep waiting.
    stays_true(lambda: not program.closed(), "somebody was turned away", 2)
    started = time.monotonic()
    with App(container, greets(b"welcome")):
        for client in clients:
            assert read_to_end(client) == (b"welcome hello", None)
            client.close()
    assert time.monotonic() - started < 8
    assert len(program.messages("is not listening")) == 1
    assert len(program.messages("answers")) == 1


@pytest.mark.parametrize("workers", ["1", "2"])
def test_one_attempt_at_a_time_however_many_wait(container, outside, loopbridge, workers):
    program = loopbridge("--workers", workers, "8080:8000")
    clients = ask(outside, CLIENTS)
    program.wait_for_message("not listening")
    # By now the interval has grown to its longest, 250 ms, in which 127.0.0.1 and ::1 are tried once each.
    time.sleep(1)
    before, started = attempts(container), time.monotonic()
    time.sleep(2)  # the time in which attempts are counted
    made, seconds = attempts(container) - before, time.monotonic() - started
    # Each failing connect() counts as opened and as failed.
    assert 8 <= made <= 2 * 2 * (4 * seconds + 2), f"{made} counted in {seconds} s with {CLIENTS} clients waiting"
    assert program.cpu_seconds() < 2
    for client in clients:
        reset(client)


def test_no_hold_resets_at_once(container, outside, loopbridge):
    loopbridge("--hold", "0s", "8080:8000")
    for _ in range(50):
        started = time.monotonic()
        # The reset may overtake connect()'s own return.
        with pytest.raises(ConnectionResetError), connect(outside, Cable.CONTAINER, 8080) as client:
            assert client.recv(100) != b"", "a clean end"
        # The hold would be ten seconds.
        assert time.monotonic() - started < 5
    with App(container, greets(b"welcome")):
        client, = ask(outside, 1)
        assert read_to_end(client) == (b"welcome hello", None)
        client.close()


def test_hold_expires(container, outside, loopbridge):
    program = loopbridge("--hold", "1s", "8080:8000")
    started = time.monotonic()
    clients = ask(outside, 20)
    for client in clients:
        data, error = read_to_end(client)
        assert data == b"" and isinstance(error, ConnectionResetError), error
        assert time.monotonic() - started > 0.9
        client.close()
    assert time.monotonic() - started < 8
    program.wait_for_closed(20)
    assert {line["end"] for line in program.closed()} == {"the app is not listening"}


def test_who_leaves_while_waiting_is_dropped(container, outside, loopbridge):
    program = loopbridge("8080:8000")
    clients = ask(outside, 20)
    program.wait_for_message("not listening")
    leaving, staying = clients[:15], clients[15:]
    for client in leaving:
        reset(client)
    program.wait_for_closed(15)
    with App(container, greets(b"welcome")) as app:
        for client in staying:
            assert read_to_end(client) == (b"welcome hello", None)
            client.close()
        assert app.accepted == len(staying)


def test_nobody_tries_when_nobody_waits(container, outside, loopbridge):
    program = loopbridge("8080:8000")
    for client in ask(outside, 10):
        reset(client)
    program.wait_for_closed(10)
    before = attempts(container)
    stays_true(lambda: attempts(container) == before, "somebody tries", 1)


def test_client_that_has_finished_sending_still_waits(container, outside, loopbridge):
    program = loopbridge("8080:8000")
    client, = ask(outside, 1)
    client.shutdown(socket.SHUT_WR)
    program.wait_for_message("not listening")
    with App(container, echo):
        assert read_to_end(client) == (b"hello", None)
    client.close()


def test_app_restarts(container, outside, loopbridge):
    """Open connections outlive the listener; new ones wait for the next app, again and again."""
    program = loopbridge("8080:8000")
    first = App(container, echo)
    old = connect(outside, Cable.CONTAINER, 8080)
    old.sendall(b"first")
    assert read_exactly(old, 5) == b"first"
    for round in range(5):
        first.stop_listening()
        clients = ask(outside, 20)
        program.wait_for_message("not listening", count=round + 1)
        second = App(container, echo)
        for client in clients:
            assert read_exactly(client, 5) == b"hello"
        old.sendall(b"still")
        assert read_exactly(old, 5) == b"still"
        for client in clients:
            client.close()
        if round:
            first.stop()
        else:
            keep = first
        first = second
    old.close()
    keep.stop()
    first.stop()


def test_app_comes_back_on_the_other_loopback_address(container, outside, loopbridge):
    loopbridge("8080:8000")
    for address in ("127.0.0.1", "::1", "127.0.0.1"):
        with App(container, greets(address.encode()), address=address):
            client, = ask(outside, 1)
            assert read_to_end(client) == (address.encode() + b" hello", None)
            client.close()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_large_request_sent_while_waiting(container, outside, loopbridge, workers):
    """Bytes that the client sends meanwhile stay in the kernel, and all of them arrive."""
    program = loopbridge("--workers", workers, "8080:8000")
    client = connect(outside, Cable.CONTAINER, 8080)
    request = bytes(range(256)) * 40_000
    sender = threading.Thread(target=client.sendall, args=(request,), daemon=True)
    sender.start()
    program.wait_for_message("not listening")
    received = bytearray()

    def keeps(connection):
        received.extend(read_to_end(connection)[0])

    with App(container, keeps):
        sender.join(10)
        client.shutdown(socket.SHUT_WR)
        wait_until(lambda: len(received) == len(request), "all has arrived")
    assert received == request
    client.close()


def test_app_whose_backlog_is_full(container, outside, loopbridge):
    """It listens but accepts nothing; who does not fit in waits, and is served when it accepts again."""
    loopbridge("8080:8000")
    listener = container.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 8000))
    listener.listen(1)
    clients = ask(outside, 20)
    wait_until(lambda: container.counter("TcpExt", "ListenOverflows") > 0, "the backlog is full")
    served = 0
    while served < len(clients):
        connection, _ = listener.accept()
        connection.settimeout(10)
        connection.sendall(b"got " + connection.recv(100))
        connection.close()
        served += 1
    for client in clients:
        assert read_to_end(client) == (b"got hello", None)
        client.close()
    listener.close()
