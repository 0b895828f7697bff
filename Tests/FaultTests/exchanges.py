"""Streams of bytes both ways of which each side knows what must come: an app and its clients.

A client says in a line how many bytes come and how many it wants, then sends the former and reads the latter; several times
on a connection, if it likes. Each side tells an end that came where more had to come from one that was due.
"""

import random
import socket
import time

from clients import Wrong
from support.actors.proxy_protocol import read_header
from support.apps import App
from support.sockets import LOOPBACK, connect, read_exactly, reset

PORT = 8000

_BLOCK = memoryview(random.Random(15).randbytes(12 << 20))


def data(seed, count):
    """Bytes that tell where they belong."""
    start = seed * 4099 % (4 << 20)
    return _BLOCK[start:start + count]


class ExchangeApp:
    """Serves exchanges; `violations` has what it saw that must not be."""

    def __init__(self, namespace, address=LOOPBACK, port=PORT, proxied=False):
        self.violations = []
        self._proxied = proxied
        # A Unix socket has no reset: who closes it early can only end it.
        self._knows_resets = not address.startswith("/")
        self._app = App(namespace, self._serve, address, port)

    def _serve(self, connection):
        connection.settimeout(30)
        source = None
        if self._proxied:
            try:
                source = read_header(connection).source
            except (AssertionError, EOFError, KeyError, ValueError) as error:
                # A connection that is ended before its client was known brings no header.
                if not isinstance(error, EOFError) or "after 0 of" not in str(error):
                    self.violations.append(f"the app got a wrong header: {error!r}")
                return
        rounds = 0
        while True:
            line = b""
            while not line.endswith(b"\n"):
                byte = connection.recv(1)
                if not byte:
                    if self._knows_resets and (line or not rounds):
                        self.violations.append(f"the app saw a clean end after {len(line)} bytes of round {rounds + 1}")
                    return
                line += byte
            up, down, seed, *said = line.split()
            up, down, seed = int(up), int(down), int(seed)
            if said and source != said[0].decode():
                self.violations.append(f"the app was told of client {source} instead of {said[0].decode()}")
            try:
                received = read_exactly(connection, up) if up else b""
            except EOFError as error:
                if self._knows_resets:
                    self.violations.append(f"the app saw a clean end where more had to come: {error}")
                return
            if received != data(seed, up):
                self.violations.append(f"the app got {up} bytes that are not those of the client")
                return
            connection.sendall(data(seed + 1, down))
            rounds += 1

    def stop(self):
        self._app.stop()


def ask(connection, up, down, seed, word=""):
    """Sends one exchange's request and bytes."""
    connection.sendall(f"{up} {down} {seed} {word}\n".encode() + data(seed, up))


def hear(connection, down, seed):
    """Reads what an exchange has to bring; an end before that is Wrong if it looks like one that was due."""
    received = bytearray()
    while len(received) < down:
        part = connection.recv(min(down - len(received), 1 << 20))
        if not part:
            error = EOFError if connection.family == socket.AF_UNIX else Wrong
            raise error(f"a clean end after {len(received)} of {down} bytes")
        received += part
    if received != data(seed + 1, down):
        raise Wrong(f"{down} bytes that are not those of the app")


def small_rounds(seed, rounds=6, word=""):
    """Small exchanges on one connection."""
    def talk(connection):
        for round in range(rounds):
            ask(connection, 120, 200, seed + round, word)
            hear(connection, 200, seed + round)
    return talk


def both_ways(seed, up=300_000, down=400_000, half_close=True, word=""):
    """Much in one direction, then in the other, to a clean end."""
    def talk(connection):
        ask(connection, up, down, seed, word)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        hear(connection, down, seed)
        if half_close and connection.recv(1):
            raise Wrong("more came than there is")
    return talk


def slow_reading(seed, down=3_000_000, word=""):
    """Lets the app wait for a while, so that bytes have to be kept on the way."""
    def talk(connection):
        ask(connection, 10, down, seed, word)
        time.sleep(0.03)
        hear(connection, down, seed)
    return talk


def leaving(seed, word=""):
    """Resets the connection in the middle of a large answer."""
    def talk(connection):
        ask(connection, 10, 2_000_000, seed, word)
        connection.recv(1000)
        reset(connection)
    return talk


def direct(namespace, address, port=None, **options):
    """Opens a connection."""
    return lambda: connect(namespace, address, port, timeout=5, **options)
