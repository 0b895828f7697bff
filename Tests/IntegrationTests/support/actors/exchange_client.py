"""The clients of the model of exchanges (exchange_model.py), and the verdict on what they have seen."""

import asyncio
import dataclasses

from support.actors.exchange_events import LONGEST, Act, Lie, Request, abort, pattern

#: A pause in a client's reading: longer than anything on the way takes, and shorter than every timeout.
REST = 0.6
#: The receive buffer of a client that has little room, in bytes.
LITTLE_ROOM = 4096
#: For how long the proxy may keep a client that reads nothing: for an idle timeout and for what stands behind it, several times.
PATIENCE = 20.0
ERRORS = (400, 408, 502, 503, 504)


@dataclasses.dataclass
class Seen:
    """An answer as a client has seen it."""
    status: int
    body: bytes
    is_whole: bool


class ModelClient:
    def __init__(self, run, number, connect, is_kept):
        """is_kept: says whether the proxy has a socket for the client with this port."""
        self.run, self.number = run, number
        self._is_kept = is_kept
        self.requests = [event for event in run.events if isinstance(event, Request) and event.client == number]
        self.acts = [event for event in run.events if event.client == number]
        self._has_little_room = Act(number, "little-room") in self.acts
        self._connect = connect
        self.seen = []
        self.sent = 0
        self.has_reset = self.has_half_closed = False
        #: How many answers had begun when it stopped reading for good.
        self.seen_when_stopped = None
        self.end = None
        self._may_read = asyncio.Event()
        self._may_read.set()
        self._news = asyncio.Event()

    async def play(self):
        if not self.acts:
            return
        reader, self._writer = await self._connect(LITTLE_ROOM if self._has_little_room else None)
        reading = asyncio.ensure_future(self._read(reader))
        writing = asyncio.ensure_future(self._write())
        try:
            await asyncio.wait_for(reading, LONGEST)
        except asyncio.TimeoutError:
            self.run.faults.append(f"client {self.number} waits forever, after {len(self.seen)} of {self.sent} answers")
        writing.cancel()
        self._writer.close()
        if not self.run.faults:
            self._judge()

    # Acts

    async def _write(self):
        try:
            for act in self.acts:
                if isinstance(act, Request):
                    if not await self._send(act):
                        return
                elif act.what == "pause":
                    await asyncio.sleep(0.01)
                elif act.what == "little-room":
                    pass
                elif act.what == "rests":
                    self._stop_reading()
                    await asyncio.sleep(REST)
                    self._go_on_reading()
                elif act.what == "stops":
                    self.seen_when_stopped = len(self.seen)
                    self._stop_reading()
                    await self._wait_until_let_go()
                    self._go_on_reading()
                    return
                elif act.what == "half-close":
                    self.has_half_closed = True
                    self._writer.write_eof()
                    return
                else:
                    self.has_reset = True
                    abort(self._writer)
                    return
        except OSError:
            pass

    def _stop_reading(self):
        self._may_read.clear()
        self._writer.transport.pause_reading()

    def _go_on_reading(self):
        self._may_read.set()
        if not self._writer.transport.is_closing():
            self._writer.transport.resume_reading()

    async def _wait_until_let_go(self):
        """Waits until the proxy has no socket for it any more."""
        port, clock = self._writer.get_extra_info("sockname")[1], asyncio.get_running_loop().time
        deadline = clock() + PATIENCE
        while self._is_kept(port):
            if clock() > deadline:
                self.run.faults.append(f"client {self.number} reads nothing, and the proxy never lets go of it")
                return
            await asyncio.sleep(0.1)

    async def _send(self, request):
        head = f"{request.method} /{self.run.key}/{self.number}/{request.number} HTTP/1.1\r\nHost: a\r\n".encode()
        body = pattern(request.number, request.size, "body")
        if request.framing == "counted":
            head += b"Content-Length: %d\r\n" % request.size
        elif request.framing == "chunked":
            head += b"Transfer-Encoding: chunked\r\n"
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        data = head + b"\r\n" + body
        if request.breaks_off:
            data = data[:-1 - request.size // 2]
        self.sent += 1
        size = len(data) // request.pieces + 1
        for start in range(0, len(data), size):
            self._writer.write(data[start:start + size])
            await self._writer.drain()
            if request.pieces > 1:
                await asyncio.sleep(0.001)
        if request.breaks_off:
            return False
        while request.waits and len(self.seen) < self.sent and self.end is None:
            self._news.clear()
            await self._news.wait()
        return True

    # Responses

    async def _read(self, reader):
        try:
            while len(self.seen) < len(self.requests) or self.has_half_closed:
                if not await self._read_answer(reader):
                    break
                self._news.set()
        except (asyncio.IncompleteReadError, EOFError):
            self.end = "eof"
        except OSError:
            self.end = "reset"
        self.end = self.end or "answered"
        self._news.set()

    async def _read_answer(self, reader):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            if error.partial:
                raise
            self.end = "eof"
            return False
        status = int(head[9:12])
        if status < 200:
            return True
        seen = Seen(status, b"", False)
        self.seen.append(seen)
        lines = head.lower().split(b"\r\n")
        if b"transfer-encoding: chunked" in lines:
            while size := int(await self._line(reader), 16):
                await self._take(reader, seen, size)
                await reader.readexactly(2)
            await reader.readexactly(2)
        else:
            lengths = [line.split(b":")[1] for line in lines if line.startswith(b"content-length:")]
            if lengths:
                await self._take(reader, seen, int(lengths[0]))
            else:
                while part := await reader.read(65536):
                    seen.body += part
                    await self._may_read.wait()
                if self.has_reset:
                    # The end that asyncio tells the reader of is the client's own.
                    raise EOFError
        seen.is_whole = True
        if b"connection: close" in lines and status != 200:
            return False
        return True

    async def _line(self, reader):
        line = await reader.readline()
        if not line.endswith(b"\n"):
            raise EOFError
        return line

    async def _take(self, reader, seen, count):
        while count:
            await self._may_read.wait()
            part = await reader.read(min(count, 65536))
            if not part:
                raise EOFError
            seen.body += part
            count -= len(part)

    # Verdict

    def _judge(self):
        fault = self._fault()
        if fault:
            told = [(one.status, len(one.body), one.is_whole) for one in self.seen]
            self.run.faults.append(type(fault)(f"client {self.number}: {fault}; seen: {told}, then {self.end}"))

    def _fault(self):
        is_excused = self.has_reset or self.has_half_closed
        has_logged_in = False
        for index, request in enumerate(self.requests):
            is_excused = is_excused or self.seen_when_stopped is not None and index + 1 >= self.seen_when_stopped
            if index >= len(self.seen):
                # The proxy's kernel may have all of a response long before a client with little room does: the time for which the connection
                # is kept may be over when that client sends its next request.
                is_late = self._has_little_room and index > 0 and self.end == "eof"
                if not is_excused and not is_late and request.is_good:
                    return f"request {request.number} was not answered"
                break
            seen = self.seen[index]
            if seen.status == 200:
                expected = pattern(request.number, request.answer_size)
                if not expected.startswith(seen.body):
                    return Lie(f"the answer to {request.number} is another one's: {seen.body[:40]!r}")
                if seen.is_whole and (seen.body != expected or not request.end == "whole"):
                    # Nobody can tell that a body without a length that ends with a FIN is not whole.
                    if not (request.answer == "close" and request.end == "closes"):
                        return Lie(f"the answer to {request.number} looks whole")
            elif seen.status not in ERRORS:
                return f"the answer to {request.number} has status {seen.status}"
            # A connection that the app had closed unseen may cost a request that must not be repeated.
            costs_nothing = request.may_be_repeated and request.framing == "none"
            is_excused = is_excused or not request.is_good or (seen.status == 502 and not costs_nothing)
            if not is_excused and not (seen.status == 200 and seen.is_whole):
                return f"request {request.number} was answered with {seen.status}, {len(seen.body)} bytes"
            # The client's connection ends after an answer that came before the end of its request.
            is_excused = is_excused or request.is_early or not seen.is_whole
            # With a connection of its own to the app, the client's ends like that one does.
            has_logged_in = has_logged_in or request.logs_in
            is_excused = is_excused or (has_logged_in and request.closes_after)
        return None if len(self.seen) <= self.sent else Lie("there are more answers than requests")
