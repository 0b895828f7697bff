"""A reset is carried across also by a relay that is waiting for the other side to read."""

import socket

import pytest

from support.apps import AppInHand
from support.pairs import Pairs
from support.settings import IS_SANITIZED
from support.sockets import read_to_end, reset, wait_for_error
from support.waiting import wait_until


@pytest.fixture
def pairs(container, outside, loopbridge):
    program = loopbridge("8080:8000")
    with AppInHand(container) as app:
        yield Pairs(program, outside, container, app)


def send_until_full(connection):
    """Sends until nobody takes anything for half a second; returns how much that was."""
    connection.settimeout(0.5)
    sent, block = 0, bytes(1 << 20)
    while True:
        try:
            sent += connection.send(block)
        except socket.timeout:
            connection.settimeout(10)
            return sent


def test_client_that_reads_nothing_resets(pairs):
    client, app = pairs.make(receive_buffer=4096)
    assert send_until_full(app) > 0
    reset(client)
    pairs.program.wait_for_closed()
    assert wait_for_error(app) is not None


def test_client_resets_an_upload_that_the_app_does_not_read_yet(pairs):
    """Bytes that it sent before are delivered first; then comes the reset, not a clean end."""
    client, app = pairs.make()
    sent = send_until_full(client)
    reset(client)
    data, error = read_to_end(app)
    assert isinstance(error, ConnectionResetError), f"looks finished after {len(data)} of {sent} bytes"
    assert 0 < len(data) <= sent
    pairs.program.wait_for_closed()


def test_app_resets_a_download_that_the_client_does_not_read_yet(pairs):
    client, app = pairs.make(receive_buffer=4096)
    sent = send_until_full(app)
    reset(app)
    data, error = read_to_end(client)
    assert isinstance(error, ConnectionResetError), f"looks finished after {len(data)} of {sent} bytes"
    assert 0 < len(data) <= sent
    pairs.program.wait_for_closed()


@pytest.mark.parametrize("sender", ["app", "client"])
def test_reset_for_somebody_who_never_reads_ends_by_the_idle_timeout(container, outside, loopbridge, sender):
    program = loopbridge("--idle-timeout", "2s", "8080:8000")
    with AppInHand(container) as in_hand:
        client, app = Pairs(program, outside, container, in_hand).make(receive_buffer=4096)
        source, sink = (app, client) if sender == "app" else (client, app)
        assert send_until_full(source) > 0
        reset(source)
        program.wait_for_closed()
        assert wait_for_error(sink) is not None


@pytest.mark.skipif(IS_SANITIZED, reason="a sanitizer has a thread of its own that wakes up")
@pytest.mark.parametrize("sender", ["app", "client"])
def test_blocked_relay_sleeps(container, outside, loopbridge, sender):
    """Nothing is to be done before the other side reads: no timer looks after it again and again."""
    program = loopbridge("8080:8000")
    with AppInHand(container) as in_hand:
        client, app = Pairs(program, outside, container, in_hand).make(receive_buffer=4096)
        source, sink = (app, client) if sender == "app" else (client, app)
        source.sendall(b"a little")
        assert sink.recv(100) == b"a little"
        assert send_until_full(source) > 0
        # It may have more to do yet where the machine is busy.
        wait_until(lambda: program.wake_ups_within(0.5) < 5, "what there was to do is done")
        assert program.wake_ups_within(2) < 20
        reset(client)
        reset(app)
