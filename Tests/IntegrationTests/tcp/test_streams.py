"""Bytes come out as they went in: big streams and many small ones, both ways at once."""

import hashlib
import random
import socket
import threading

import pytest

from support.apps import App
from support.namespaces import Cable
from support.settings import STREAM_GIB
from support.sockets import connect, digest_to_end
from support.waiting import wait_until

BLOCK = random.Random(1).randbytes(4 << 20)


class Sender(threading.Thread):
    """Sends a number of bytes that never repeat block by block, then ends; `digest` is their SHA-256."""

    def __init__(self, connection, count, seed):
        super().__init__(daemon=True)
        self._connection, self._count, self._seed = connection, count, seed
        self.digest = None
        self.failure = None
        self.start()

    def run(self):
        digest, view, left = hashlib.sha256(), memoryview(BLOCK), self._count
        offset = self._seed % len(BLOCK)
        try:
            while left:
                # An odd stride, so that a block lost, doubled or swapped shows.
                part = view[offset:offset + left]
                self._connection.sendall(part)
                digest.update(part)
                left -= len(part)
                offset = (offset * 5 + 12_345) % len(BLOCK)
            self._connection.shutdown(socket.SHUT_WR)
            self.digest = (self._count, digest.hexdigest())
        except OSError as failure:
            self.failure = failure


@pytest.mark.load
@pytest.mark.limit(200)
def test_big_stream_both_ways_at_once(container, outside, loopbridge):
    program = loopbridge("8080:8000")
    count = int(STREAM_GIB * (1 << 30))
    at_app = {}

    def serve(connection):
        connection.settimeout(30)
        sender = Sender(connection, count, seed=2)
        at_app["received"] = digest_to_end(connection)
        sender.join()
        at_app["sent"] = sender.digest or sender.failure

    with App(container, serve):
        with connect(outside, Cable.CONTAINER, 8080, timeout=30) as client:
            sender = Sender(client, count, seed=1)
            received = digest_to_end(client)
            sender.join()
            wait_until(lambda: "sent" in at_app, "the app has finished too", limit=30)
        assert received == at_app["sent"]
        assert at_app["received"] == sender.digest
    line = program.wait_for_closed()
    assert (line["to_app"], line["to_client"], line["end"]) == (count, count, "finished")


@pytest.mark.load
@pytest.mark.parametrize("workers", ["1", "2"])
def test_many_streams_of_random_lengths(container, outside, loopbridge, workers):
    """500 at a time: each side sends a length of its own and ends when it likes, before the other or after."""
    program = loopbridge("--workers", workers, "8080:8000")
    streams = 500
    lock, at_app, results = threading.Lock(), {}, []

    def length(generator):
        return generator.choice([0, 1, generator.randrange(1000), generator.randrange(200_000),
                                 generator.randrange(400_000)])

    def serve(connection):
        connection.settimeout(30)
        number = int.from_bytes(connection.recv(2, socket.MSG_WAITALL), "big")
        generator = random.Random(number)
        to_client = length(generator)
        if generator.random() < 0.3:
            # Says nothing before the client has finished.
            received = digest_to_end(connection)
            sender = Sender(connection, to_client, number)
        else:
            sender = Sender(connection, to_client, number)
            received = digest_to_end(connection)
        sender.join()
        with lock:
            at_app[number] = (sender.digest or sender.failure, received)

    def converse(number, client):
        client.settimeout(30)
        client.sendall(number.to_bytes(2, "big"))
        generator = random.Random(number + 10_000)
        to_app = length(generator)
        if generator.random() < 0.3:
            sender = Sender(client, to_app, number + 1)
            sender.join()  # ends before it reads anything
            received = digest_to_end(client)
        else:
            sender = Sender(client, to_app, number + 1)
            received = digest_to_end(client)
            sender.join()
        with lock:
            results.append((number, sender.digest or sender.failure, received))

    with App(container, serve) as app:
        clients = [connect(outside, Cable.CONTAINER, 8080) for _ in range(streams)]
        wait_until(lambda: app.connections == streams, "all streams are open at the same time")
        threads = [threading.Thread(target=converse, args=pair, daemon=True) for pair in enumerate(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(45)
        wait_until(lambda: len(at_app) == streams, "the app has finished with all")
        for client in clients:
            client.close()
        assert len(results) == streams
        for number, sent, received in results:
            assert at_app[number] == (received, sent), f"stream {number}"
    program.wait_for_closed(streams)
    assert {line["end"] for line in program.closed()} == {"finished"}
