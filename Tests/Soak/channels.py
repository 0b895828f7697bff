"""A client's connection, plain or in TLS, with the same few calls; each of them has a limit, and how it ended is told exactly."""

import asyncio
import socket
import ssl
import struct
import time

PIECE = 65536


class Hung(Exception):
    """Nothing has moved for the limit, though the other side's kernel still knows the connection."""


class Ragged(ConnectionError):
    """TLS ended without close_notify: what came may be a part only."""


class Channel:
    """A plain connection. Every call may raise OSError, for an end that shows, or Hung.

    `recv` returns b"" at a clean end, and at nothing else.
    """

    def __init__(self, connection, limit):
        self._socket = connection
        self._limit = limit
        self._reset = None
        self._loop = asyncio.get_running_loop()

    @classmethod
    async def open(cls, family, name, limit, buffer=None, source=None):
        connection = socket.socket(family, socket.SOCK_STREAM)
        connection.setblocking(False)
        try:
            if buffer:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
            if family != socket.AF_UNIX:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                # A reset that is lost on the way is not sent again. Whoever asks hears it, as a direct client would; and who
                # hears nothing for the limit has not been forgotten, but is left waiting.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 6)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 2)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 20)
            if source:
                connection.bind(source)
            channel = cls(connection, limit)
            await channel._within(channel._loop.sock_connect(connection, name), "connecting")
            return channel
        except BaseException:
            connection.close()
            raise

    async def _within(self, call, what):
        try:
            async with asyncio.timeout(self._limit):
                return await call
        except TimeoutError as error:
            # The kernel's own ETIMEDOUT is an end that shows.
            if isinstance(error, OSError) and error.errno:
                raise
            raise Hung(f"{what} for {self._limit:g} s") from None

    async def send(self, data):
        view = memoryview(data)
        for at in range(0, len(view), PIECE):
            try:
                await self._within(self._loop.sock_sendall(self._socket, view[at:at + PIECE]), "sending")
            except ConnectionResetError as error:
                # The kernel says so once, and to whoever asks after that, that there is an end.
                self._reset = error
                raise

    async def recv(self, count=PIECE):
        data = await self._within(self._loop.sock_recv(self._socket, count), "receiving")
        if not data:
            # The side that was sending may be the one that was told, and about to say so.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            if self._reset:
                raise self._reset
        return data

    async def finish(self):
        """Says that no more will be sent."""
        self._socket.shutdown(socket.SHUT_WR)

    def reset(self):
        if self._socket.family != socket.AF_UNIX:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def close(self):
        self._socket.close()

    @property
    def name(self):
        return self._socket.getsockname()


class TLSChannel(Channel):
    """The same in TLS, with records that are cut into segments as the chance has it."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE

    async def handshake(self, chance):
        """The last message of the handshake goes out alone, or in one segment with the first bytes of data."""
        self._chance = chance
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._lock = asyncio.Lock()
        self._tls = self.context.wrap_bio(self._incoming, self._outgoing, server_hostname="soak.test")
        while True:
            try:
                self._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                await self._flush()
                await self._fill()
        if chance.random() < 0.3:
            await self._flush()

    async def _fill(self):
        data = await super().recv()
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    async def _flush(self):
        async with self._lock:
            data = self._outgoing.read()
            pieces = self._chance.choice((1, 1, 1, 2, 3, 20))
            cuts = sorted(self._chance.randrange(len(data) + 1) for _ in range(pieces - 1)) if data else []
            for start, end in zip([0, *cuts], [*cuts, len(data)]):
                if start:
                    await asyncio.sleep(self._chance.choice((0, 0, 0.001, 0.01)))
                if end > start:
                    await super().send(data[start:end])

    async def send(self, data):
        view = memoryview(data)
        for at in range(0, len(view), PIECE):
            self._tls.write(view[at:at + PIECE])
            await self._flush()

    async def recv(self, count=PIECE):
        while True:
            try:
                # Nothing at all is close_notify, too.
                return self._tls.read(count)
            except ssl.SSLWantReadError:
                if self._outgoing.pending:
                    await self._flush()
                await self._fill()
            except ssl.SSLZeroReturnError:
                return b""
            except ssl.SSLEOFError:
                raise Ragged("an end without close_notify") from None

    async def finish(self):
        try:
            self._tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        await self._flush()


async def watch_for_delays(report):
    """Reports when this process had to wait for a processor: what took long then is not the program's doing."""
    last = time.monotonic()
    while True:
        await asyncio.sleep(0.2)
        now = time.monotonic()
        if now - last > 0.5:
            report({"from": last, "to": now})
        last = now


class Reader:
    """Reads lines and so many bytes from a channel."""

    def __init__(self, channel):
        self._channel = channel
        self._data = bytearray()
        # The number of bytes that have come.
        self.total = 0

    async def fill(self):
        """Whether there is more."""
        data = await self._channel.recv()
        self._data += data
        self.total += len(data)
        return bool(data)

    async def line(self):
        """A line without its end; raises EOFError at a clean end before that."""
        while (end := self._data.find(b"\n")) < 0:
            if not await self.fill():
                raise EOFError
        line = bytes(self._data[:end])
        del self._data[:end + 1]
        return line.rstrip(b"\r")

    async def exactly(self, count):
        while len(self._data) < count:
            if not await self.fill():
                raise EOFError
        data = bytes(self._data[:count])
        del self._data[:count]
        return data

    async def some(self, count=PIECE):
        """Up to so many bytes; none at a clean end."""
        if not self._data:
            await self.fill()
        data = bytes(self._data[:count])
        del self._data[:count]
        return data
