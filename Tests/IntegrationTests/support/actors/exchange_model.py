"""HTTP exchanges made up at random, played by clients and an app, and judged by what each of them may see.

The app does with each request what the request's number says; clients share the proxy's connections to it. What holds in any order:

- a client's answers come in the order of its requests, and each is made of the bytes of *its* request's answer;
- an answer that the app has not finished never looks whole; one that is our own is the last;
- where neither side misbehaves, every request is answered, whole;
- the app gets each body as it was sent, no request twice that may not be repeated, and on a connection that it has
  authenticated none of another client's;
- a client that reads nothing for a while loses nothing by it; one that never reads again costs nobody else anything, and the proxy lets
  go of it, though its kernel may still try to deliver what was said last;
- every client's connection comes to an end.
"""

import asyncio
import dataclasses
import random
import socket
import struct

LONGEST = 30.0
#: A pause in a client's reading: longer than anything on the way takes, and shorter than every timeout.
REST = 0.6
#: The receive buffer of a client that has little room, in bytes.
LITTLE_ROOM = 4096
#: For how long the proxy may keep a client that reads nothing: for an idle timeout and for what stands behind it, several times.
PATIENCE = 20.0
ERRORS = (400, 408, 502, 503, 504)


@dataclasses.dataclass(frozen=True)
class Request:
    client: int
    number: int
    method: str = "GET"
    #: Of the body; nil for none.
    framing: str = "none"
    size: int = 0
    #: The client sends only a part of the body and then leaves it at that.
    breaks_off: bool = False
    pieces: int = 1
    waits: bool = True
    #: What the app does: how the answer is framed, how long it is, what comes before it, and how it ends.
    answer: str = "counted"
    answer_size: int = 10
    hints: int = 0
    answer_pieces: int = 1
    #: whole | closes | resets | stalls (in the midst of it), or closes-first | resets-first | stalls-first (before it).
    end: str = "whole"
    #: The app closes its connection after the answer without having said so.
    closes_after: bool = False
    is_early: bool = False
    logs_in: bool = False

    @property
    def is_good(self):
        return self.end == "whole" and not self.breaks_off

    @property
    def may_be_repeated(self):
        return self.method != "POST"


@dataclasses.dataclass(frozen=True)
class Act:
    """What a client does between or after its requests, or what it is like."""
    client: int
    #: pause | half-close | reset | rests (reads nothing for a while) | stops (reads nothing any more) | little-room (from the beginning)
    what: str


def abort(writer):
    """Ends a connection with a reset."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def pattern(number, size, salt=""):
    word = f"<{salt}{number}>".encode()
    return (word * (size // len(word) + 1))[:size]


def generate(seed):
    random_source = random.Random(seed)
    chance = lambda part: random_source.random() < part
    events = [Act(client, "little-room") for client in range(2) if chance(0.3)]
    for index in range(random_source.randint(1, 6)):
        client = random_source.randrange(2)
        framing = random_source.choice(["none", "none", "counted", "chunked"])
        end = "whole" if chance(0.8) else random_source.choice(
            ["closes", "resets", "closes-first", "resets-first"] if chance(0.9) else ["stalls", "stalls-first"])
        size = 0 if framing == "none" else random_source.choice([1, 100, 5000, 200_000])
        events.append(Request(
            client, index, method=random_source.choice(["GET", "PUT"] if framing == "none" else ["POST", "PUT"]),
            framing=framing, size=size, breaks_off=size > 0 and chance(0.03), pieces=random_source.choice([1, 1, 2, 7]),
            waits=chance(0.5), answer=random_source.choice(["counted", "chunked", "close"]),
            answer_size=random_source.choice([0, 1, 100, 20_000, 400_000]),
            hints=random_source.choice([0, 0, 0, 1, 3]), answer_pieces=random_source.choice([1, 1, 2, 9]), end=end,
            closes_after=chance(0.1), is_early=chance(0.1), logs_in=chance(0.15)))
        if chance(0.15):
            events.append(Act(client, random_source.choice(["pause", "pause", "half-close", "reset", "rests", "rests"])))
        elif chance(0.02):
            events.append(Act(client, "stops"))
    return events


class Run:
    """One sequence on its way."""

    def __init__(self, key, events):
        self.key = key
        self.requests = {event.number: event for event in events if isinstance(event, Request)}
        self.events = events
        self.arrivals = {}
        self.faults = []


class ModelApp:
    """The app: a server that does what the request's number says, for all sequences that are under way."""

    def __init__(self, listener):
        self._listener = listener
        self.runs = {}

    async def start(self):
        self._server = await asyncio.start_server(self._serve, sock=self._listener)

    async def stop(self):
        self._server.close()

    async def _serve(self, reader, writer):
        owner = None
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                line = head.split(b"\r\n", 1)[0].decode()
                _, key, client, number = line.split(" ")[1].split("/")
                run = self.runs.get(key)
                if run is None:
                    return
                who = (key, client)
                if owner is not None and owner != who:
                    run.faults.append(f"{who} comes on a connection that is {owner}'s")
                request = run.requests[int(number)]
                run.arrivals[request.number] = run.arrivals.get(request.number, 0) + 1
                if run.arrivals[request.number] > (2 if request.may_be_repeated else 1):
                    run.faults.append(f"request {number} comes {run.arrivals[request.number]} times")
                body = asyncio.ensure_future(self._read_body(reader, request, run))
                try:
                    if not request.is_early:
                        await body
                    if request.logs_in:
                        owner = who
                    keeps = await self._answer(writer, request)
                    await body
                    if not keeps:
                        return
                finally:
                    body.cancel()
        except (OSError, EOFError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def _read_body(self, reader, request, run):
        if request.framing == "counted":
            body = await reader.readexactly(request.size)
        elif request.framing == "chunked":
            body = b""
            while size := int(await reader.readline(), 16):
                body += (await reader.readexactly(size + 2))[:-2]
            await reader.readline()
        else:
            body = b""
        if body != pattern(request.number, request.size, "body"):
            run.faults.append(f"the body of request {request.number} has arrived as {len(body)} other bytes")

    async def _answer(self, writer, request):
        """Returns whether the connection may be used again."""
        if request.end.endswith("-first"):
            return await self._break_off(writer, request.end)
        for _ in range(request.hints):
            writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n")
            await asyncio.sleep(0)
        fields = b"WWW-Authenticate: NTLM\r\n" if request.logs_in else b""
        body = pattern(request.number, request.answer_size)
        if request.answer == "counted":
            fields += b"Content-Length: %d\r\n" % len(body)
        elif request.answer == "chunked":
            fields += b"Transfer-Encoding: chunked\r\n"
            half = len(body) // 2
            body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:half], body[half:]) if part) + b"0\r\n\r\n"
        data = b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n" + body
        if request.end != "whole":
            # Something is missing, in any framing.
            data = data[:max(1, len(data) - 1 - request.answer_size // 2)]
        size = len(data) // request.answer_pieces + 1
        for start in range(0, len(data), size):
            writer.write(data[start:start + size])
            await writer.drain()
            if request.answer_pieces > 1:
                await asyncio.sleep(0.001)
        if request.end != "whole":
            return await self._break_off(writer, request.end)
        return request.answer != "close" and not request.closes_after

    async def _break_off(self, writer, end):
        if end.startswith("resets"):
            await writer.drain()
            abort(writer)
        elif end.startswith("stalls"):
            await asyncio.sleep(LONGEST)
        return False


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
        has_little_room = Act(self.number, "little-room") in self.acts
        reader, self._writer = await self._connect(LITTLE_ROOM if has_little_room else None)
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

    # What it does

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

    # What it sees

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

    # What it may see

    def _judge(self):
        fault = self._fault()
        if fault:
            told = [(one.status, len(one.body), one.is_whole) for one in self.seen]
            self.run.faults.append(f"client {self.number}: {fault}; seen: {told}, then {self.end}")

    def _fault(self):
        is_excused = self.has_reset or self.has_half_closed
        has_logged_in = False
        for index, request in enumerate(self.requests):
            is_excused = is_excused or self.seen_when_stopped is not None and index + 1 >= self.seen_when_stopped
            if index >= len(self.seen):
                if not is_excused and request.is_good:
                    return f"request {request.number} was not answered"
                break
            seen = self.seen[index]
            if seen.status == 200:
                expected = pattern(request.number, request.answer_size)
                if not expected.startswith(seen.body):
                    return f"the answer to {request.number} is another one's: {seen.body[:40]!r}"
                if seen.is_whole and (seen.body != expected or not request.end == "whole"):
                    # Nobody can tell that a body without a length that ends with a FIN is not whole.
                    if not (request.answer == "close" and request.end == "closes"):
                        return f"the answer to {request.number} looks whole"
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
        return None if len(self.seen) <= self.sent else "there are more answers than requests"


async def play(run, app, connect, is_kept):
    """Plays a sequence; returns what was wrong, None for nothing."""
    app.runs[run.key] = run
    try:
        await asyncio.gather(*(ModelClient(run, number, connect, is_kept).play() for number in range(2)))
    finally:
        del app.runs[run.key]
    return run.faults[0] if run.faults else None
