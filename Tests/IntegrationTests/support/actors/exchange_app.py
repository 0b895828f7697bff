"""The app of the model of exchanges (exchange_model.py)."""

import asyncio

from support.actors.exchange_events import LONGEST, Lie, abort, pattern


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
                    run.faults.append(Lie(f"{who} comes on a connection that is {owner}'s"))
                request = run.requests[int(number)]
                run.arrivals[request.number] = run.arrivals.get(request.number, 0) + 1
                if run.arrivals[request.number] > (2 if request.may_be_repeated else 1):
                    run.faults.append(Lie(f"request {number} comes {run.arrivals[request.number]} times"))
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
            run.faults.append(Lie(f"the body of request {request.number} has arrived as {len(body)} other bytes"))

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
