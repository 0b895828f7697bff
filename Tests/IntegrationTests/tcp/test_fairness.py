"""On one worker, a stream that never pauses leaves the others their turn."""

import statistics
import threading
import time

import pytest

from support.apps import App
from support.namespaces import Cable
from support.sockets import connect, read_exactly
from support.waiting import wait_until


def bulk_or_echo(connection):
    """An app whose client chooses by its first byte: endless zeroes, a sink, or an echo."""
    kind = connection.recv(1)
    block = bytearray(1 << 20)
    if kind == b"d":
        while True:
            connection.sendall(block)
    if kind == b"u":
        while connection.recv_into(block):
            pass
    while data := connection.recv(65536):
        connection.sendall(data)


class Bulk(threading.Thread):
    """A client that moves as much as it can until it is told to stop."""

    def __init__(self, outside, direction):
        super().__init__(daemon=True)
        self._client = connect(outside, Cable.CONTAINER, 8080)
        self._direction = direction
        self._stopping = False
        self.moved = 0
        self._client.sendall(b"d" if direction == "download" else b"u")
        self.start()

    def run(self):
        block = bytearray(1 << 20)
        while not self._stopping:
            if self._direction == "download":
                self.moved += self._client.recv_into(block)
            else:
                self.moved += self._client.send(block)

    def stop(self):
        self._stopping = True
        self.join(10)
        self._client.close()


@pytest.mark.parametrize("direction", ["download", "upload"])
def test_small_requests_beside_bulk(container, outside, loopbridge, direction):
    loopbridge("--workers", "1", "8080:8000")
    with App(container, bulk_or_echo):
        streams = [Bulk(outside, direction) for _ in range(2)]
        wait_until(lambda: all(stream.moved > 64 << 20 for stream in streams), "the streams flow")
        before = [stream.moved for stream in streams]
        delays = []
        with connect(outside, Cable.CONTAINER, 8080) as client:
            client.sendall(b"e")
            for _ in range(200):
                started = time.monotonic()
                client.sendall(b"hello")
                assert read_exactly(client, 5) == b"hello"
                delays.append(time.monotonic() - started)
        # Generous: two turns of bulk take a millisecond or so. The machine is shared, so the median counts.
        assert statistics.median(delays) < 0.2, delays
        # And new clients are let in meanwhile.
        for _ in range(20):
            with connect(outside, Cable.CONTAINER, 8080) as client:
                client.sendall(b"ehello")
                assert read_exactly(client, 5) == b"hello"
        assert all(stream.moved > moved for stream, moved in zip(streams, before)), "the streams have stopped"
        for stream in streams:
            stream.stop()
