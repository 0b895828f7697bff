"""A client of TLS whose records come in segments that the test chooses, whatever the records' bounds.

```python
client = SegmentedTLS(connect(outside, Cable.CONTAINER, 8443), context(authority), "example.test")
client.say(question, cuts=[100, 4000])      # the handshake's last message and all that follows, in three segments
assert client.read(2) == b"ok"
```
"""

import random
import socket
import ssl
import time


class SegmentedTLS:
    """TLS in memory before a socket: what is written becomes records at once, and segments when they are sent."""

    def __init__(self, connection, made, name=None, session=None, header=b"", cuts=()):
        """Goes through the handshake, but keeps the client's last message.

        header: what goes before the hello; both are sent in segments that end at the cuts.
        """
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection = connection
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = made.wrap_bio(self._incoming, self._outgoing, server_hostname=name, session=session)
        self._shake_hands(header, cuts)

    def _shake_hands(self, header, cuts):
        """Goes on until nothing is needed of the server any more; the client's last message is not sent yet."""
        while True:
            try:
                return self.tls.do_handshake()
            except ssl.SSLWantReadError:
                send_segments(self.connection, header + self._outgoing.read(), cuts)
                header, cuts = b"", ()
                self._receive()

    def _receive(self):
        data = self.connection.recv(65536)
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    def encrypt(self, data, piece=16384, finish=False):
        """The records of the data, behind what the handshake has left to say.

        piece: the largest text in a record. finish: behind the data the stream ends (close_notify).
        """
        for start in range(0, len(data), piece):
            self.tls.write(data[start:start + piece])
        if finish:
            try:
                self.tls.unwrap()
            except ssl.SSLWantReadError:
                pass
        return self._outgoing.read()

    def say(self, data, cuts=(), pauses=(), **options):
        """Sends the data's records in segments that end at the cuts, with a pause before each but the first."""
        send_segments(self.connection, self.encrypt(data, **options), cuts, pauses)

    def read(self, count):
        """So many bytes."""
        data = b""
        while len(data) < count:
            try:
                piece = self.tls.read(count - len(data))
            except ssl.SSLWantReadError:
                self._receive()
                continue
            if not piece:
                raise EOFError(f"the stream ended after {len(data)} of {count} bytes")
            data += piece
        return data

    def close(self):
        self.connection.close()


def send_segments(connection, data, cuts=(), pauses=()):
    """Sends bytes in segments that end at the cuts; a pause, in seconds, is before each segment but the first."""
    start = 0
    pauses = iter(pauses)
    for end in [*cuts, len(data)]:
        if start and (pause := next(pauses, 0)):
            time.sleep(pause)
        connection.sendall(data[start:end])
        start = end


class Cutter:
    """Draws sizes, cuts and pauses by a seed."""

    def __init__(self, seed):
        self._random = random.Random(seed)

    def size(self, most=1 << 20):
        """From 1 byte on, small ones as often as large ones."""
        return min(int(most ** self._random.random()), most)

    def bytes(self, count):
        return self._random.randbytes(count)

    def cuts(self, count, segments=(2, 20)):
        """Returns the cuts that make 2 to 20 segments of so many bytes."""
        pieces = min(self._random.randint(*segments), count)
        return sorted(self._random.sample(range(1, count), pieces - 1)) if pieces > 1 else []

    def pauses(self, count, most=0.004):
        """Mostly none, so that some segments come together, and some alone."""
        return [self._random.choice((0, 0, self._random.random() * most)) for _ in range(count)]

    def piece(self):
        """The largest text in a record."""
        return self._random.choice((16384, 16384, 4096, 1000, 64)) if self._random.random() < 0.5 else 16384

    def chance(self, likelihood):
        return self._random.random() < likelihood
