"""The app behind routes of HTTP: answers what its targets ask for, in every framing, and misbehaves where it is asked to.

    /NUMBER?down=COUNT&how=FRAMING&cut=COUNT&user=NAME
"""

import asyncio
import base64
import hashlib
import urllib.parse
import zlib

import app_stream
import wire
from channels import Hung, Reader


async def serve(channel, connection, report, generation):
    """Serves one connection until it ends, or is to end behind an answer."""
    state = _Connection(channel, connection, Reader(channel), report, generation)
    try:
        while await state.serve_request():
            pass
        await app_stream.end(channel, connection, state.reader)
    except wire.WrongBytes as error:
        report("wrong", state.number, str(error))
        channel.reset()
    except (OSError, EOFError, Hung):
        channel.reset()


class _Cut(ConnectionError):
    """The app resets on purpose."""


class _Connection:
    def __init__(self, channel, connection, reader, report, generation):
        self.channel, self.connection, self.reader = channel, connection, reader
        self.report, self.generation = report, generation
        self.number = 0
        # The user who has logged in on this very connection, as NTLM does it.
        self.user = None

    async def serve_request(self):
        """Whether another one may follow."""
        try:
            line = await self.reader.line()
        except EOFError:
            return False
        method, target, _ = line.decode().split(" ")
        fields = {}
        while field := await self.reader.line():
            name, _, value = field.decode("latin-1").partition(":")
            fields[name.lower()] = value.strip()
        path = urllib.parse.urlsplit(target)
        asked = dict(urllib.parse.parse_qsl(path.query))
        if path.path == "/":
            # Some proxies let pass what others take for garbage.
            await self.channel.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return False
        self.number = int(path.path.strip("/"))
        how = asked.get("how", "length")
        if "upgrade" in fields.get("connection", "").lower() and fields.get("upgrade"):
            if not await self._upgrade(fields):
                raise _Cut
            return False
        if how == "early":
            # It answers without having read what it is sent.
            await self._answer(method, asked, how, fields, uploaded=None)
            return False
        if fields.get("expect", "").lower() == "100-continue":
            await self.channel.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        uploaded = await self._read_body(fields, int(asked.get("up", 0)))
        if method == "POST":
            # A client that gets the same one twice has been told twice.
            self.report("post", self.number, self.generation)
        await self._answer(method, asked, how, fields, uploaded)
        return how != "close" and "close" not in fields.get("connection", "").lower()

    async def _read_body(self, fields, length):
        """The checksum of a request's body, which has to be the one that belongs to its number."""
        check, checksum = wire.Check(self.number, wire.UP, length), 0
        if "chunked" in fields.get("transfer-encoding", "").lower():
            while size := int((await self.reader.line()).split(b";")[0], 16):
                data = await self.reader.exactly(size)
                check.take(data)
                checksum = zlib.crc32(data, checksum)
                await self.reader.line()
            while await self.reader.line():
                pass
        else:
            left = int(fields.get("content-length", 0))
            while left:
                data = await self.reader.some(min(left, 1 << 18))
                if not data:
                    raise EOFError
                left -= len(data)
                check.take(data)
                checksum = zlib.crc32(data, checksum)
        if not check.is_whole:
            self.report("false upload", self.number, f"a whole body of {check.count} instead of {length} bytes")
        return checksum

    async def _answer(self, method, asked, how, fields, uploaded):
        down, status = int(asked.get("down", 0)), "200 OK"
        lines = [f"X-Number: {self.number}", f"X-Generation: {self.generation}"]
        if asked.get("user"):
            status, more = self._log_in(asked["user"], fields.get("authorization", ""))
            lines += more
            if not status.startswith("200"):
                down = 0
        if self.user:
            lines.append(f"X-User: {self.user}")
        if uploaded is not None:
            lines.append(f"X-Uploaded: {uploaded}")
        if how == "chunked":
            lines.append("Transfer-Encoding: chunked")
        elif how == "close":
            lines.append("Connection: close")
        else:
            lines.append(f"Content-Length: {down}")
            if how == "early":
                lines.append("Connection: close")
        head = "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode()
        if method == "HEAD":
            await self.channel.send(head)
            return
        await self._send_body(head, down, how, int(asked.get("cut", -1)), asked.get("end") == "1", "slow" in asked)

    async def _send_body(self, head, down, how, cut, ends, is_slow):
        """In one piece with the head where it is small, as apps do it."""
        pending, at = head, 0
        count = down if cut < 0 else cut
        while at < count:
            piece = min(count - at, 2000 if is_slow else 60000)
            data = wire.stream(self.number, wire.DOWN, at, piece)
            pending += b"%x\r\n%s\r\n" % (piece, data) if how == "chunked" else data
            await self.channel.send(pending)
            pending = b""
            at += piece
            if is_slow:
                await asyncio.sleep(0.01)
        if cut >= 0:
            await self.channel.send(pending)
            if ends and how != "close":
                # The framing shows that something is missing.
                await self.channel.finish()
                await asyncio.sleep(0.2)
            raise _Cut
        await self.channel.send(pending + (b"0\r\n\r\n" if how == "chunked" else b""))

    def _log_in(self, user, word):
        """Three steps, and from then on the connection is the user's."""
        if self.user:
            return "200 OK", []
        if word == "NTLM begin":
            return "401 Unauthorized", ["WWW-Authenticate: NTLM challenge"]
        if word == f"NTLM {user}":
            self.user = user
            return "200 OK", []
        return "401 Unauthorized", ["WWW-Authenticate: NTLM"]

    async def _upgrade(self, fields):
        key = fields.get("sec-websocket-key", "") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        await self.channel.send(
            f"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {fields['upgrade']}\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\nX-Number: {self.number}\r\n\r\n".encode())
        return await app_stream.serve_transfers(self.channel, self.connection, self.reader, self.report, self.generation)
