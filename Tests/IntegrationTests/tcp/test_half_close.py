"""A client that has finished sending still gets its whole answer, and so does an app."""

import hashlib
import socket

import pytest

from support.apps import App
from support.namespaces import Cable
from support.sockets import connect, digest_to_end, read_to_end
from support.waiting import wait_until

LARGE = bytes(range(256)) * (64 << 12)  # 64 MiB


def answers_at_the_end(answer):
    """An app that answers only once its client has finished sending."""
    def serve(connection):
        request, error = read_to_end(connection)
        assert error is None
        connection.sendall(answer(request))
    return serve


@pytest.fixture
def connect_through(container, outside, loopbridge):
    loopbridge("8080:8000")
    return lambda: connect(outside, Cable.CONTAINER, 8080)


def test_answer_after_the_clients_end(container, connect_through):
    with App(container, answers_at_the_end(lambda request: b"got " + request)):
        for _ in range(20):
            with connect_through() as client:
                client.sendall(b"request")
                client.shutdown(socket.SHUT_WR)
                assert read_to_end(client) == (b"got request", None)


def test_large_answer_after_the_clients_end(container, connect_through):
    with App(container, answers_at_the_end(lambda request: LARGE)), connect_through() as client:
        client.sendall(b"request")
        client.shutdown(socket.SHUT_WR)
        assert digest_to_end(client) == (len(LARGE), hashlib.sha256(LARGE).hexdigest())


def test_end_without_a_byte(container, connect_through):
    with App(container, answers_at_the_end(lambda request: b"%d bytes" % len(request))), connect_through() as client:
        client.shutdown(socket.SHUT_WR)
        assert read_to_end(client) == (b"0 bytes", None)


def test_large_upload_after_the_apps_end(container, connect_through):
    received = []

    def ends_then_reads(connection):
        connection.sendall(b"greeting")
        connection.shutdown(socket.SHUT_WR)
        received.append(digest_to_end(connection))

    with App(container, ends_then_reads):
        with connect_through() as client:
            assert read_to_end(client) == (b"greeting", None)
            client.sendall(LARGE)
        wait_until(lambda: received, "the app has read to the end")
    assert received == [(len(LARGE), hashlib.sha256(LARGE).hexdigest())]


def test_each_connection_ends_in_good_order(container, outside, loopbridge):
    """No reset where there was none: neither side's kernel saw one."""
    program = loopbridge("8080:8000")
    before = container.counter("Tcp", "EstabResets"), outside.counter("Tcp", "EstabResets")
    with App(container, answers_at_the_end(lambda request: request)):
        for number in range(50):
            with connect(outside, Cable.CONTAINER, 8080) as client:
                client.sendall(b"request")
                client.shutdown(socket.SHUT_WR)
                assert read_to_end(client) == (b"request", None)
            program.wait_for_closed(number + 1)
    assert (container.counter("Tcp", "EstabResets"), outside.counter("Tcp", "EstabResets")) == before
    assert {line["end"] for line in program.closed()} == {"finished"}
