"""Clients of routes of HTTP."""

import asyncio

import client_stream
import wire
from channels import Reader
from client_stream import size

OWN_ANSWERS = {502, 503}  # the app was killed, or there was none for too long
UNJUST = {408, 504, 400, 413, 414, 431}


class Broken(Exception):
    """An answer that is no HTTP, or an error that this client has not deserved."""


class Unanswered(Exception):
    """A page of the proxy's own, because there was no app."""


class Cut(ConnectionError):
    """The end came before the framing said so, which everybody can see."""


class Between(ConnectionError):
    """A kept connection ended before a byte of the next answer: the client would ask again."""


class Head:
    def __init__(self, status, fields):
        self.status, self.fields = status, fields

    def __getitem__(self, name):
        return self.fields.get(name)


async def read_head(reader):
    """The head of a final answer, or of 101."""
    while True:
        try:
            line = await reader.line()
            words = line.split(b" ", 2)
            if not words[0].startswith(b"HTTP/1.") or len(words) < 2:
                raise Broken(f"no status line: {line[:60]}")
            fields = {}
            while field := await reader.line():
                name, _, value = field.decode("latin-1").partition(":")
                fields[name.lower()] = value.strip()
        except EOFError:
            raise Cut("within a head") from None
        status = int(words[1])
        if status >= 200 or status == 101:
            return Head(status, fields)


async def read_answer(reader, number, expected, user=None, method="GET"):
    """The head of an answer whose body is the number's; raises at anything else."""
    head = await read_head(reader)
    if head.status in UNJUST:
        raise Broken(f"{head.status} for an honest request")
    if head.status in OWN_ANSWERS:
        await read_body(reader, head, None)
        raise Unanswered(str(head.status))
    if head["x-number"] != str(number):
        raise wire.WrongBytes(f"{head.status} for {head['x-number']} instead of {number}")
    if head["x-user"] not in (None, user):
        raise wire.WrongBytes(f"somebody else's login: {head['x-user']} instead of {user}")
    if method == "HEAD":
        return head
    check = wire.Check(number, wire.DOWN, expected if head.status == 200 else 0)
    await read_body(reader, head, check)
    if not check.is_whole:
        raise client_stream.FalseEnd(f"a whole answer with {check.count} of {check.length} bytes")
    return head


async def read_body(reader, head, check):
    """Reads a body to the end that its framing gives it; a clean end before is Cut."""
    def take(data):
        if check:
            check.take(data)

    try:
        if "chunked" in (head["transfer-encoding"] or "").lower():
            while chunk := int((await reader.line()).split(b";")[0], 16):
                take(await reader.exactly(chunk))
                if await reader.line():
                    raise Broken("no line's end behind a chunk")
            while await reader.line():
                pass
        elif head["content-length"] is not None:
            left = int(head["content-length"])
            while left:
                data = await reader.some(min(left, 1 << 18))
                if not data:
                    raise EOFError
                left -= len(data)
                take(data)
        else:
            while data := await reader.some():
                take(data)
    except EOFError:
        raise Cut("within a body") from None
    except ValueError as error:
        raise Broken(f"no chunk's size: {error}") from None


def request(visit, number, method="GET", down=0, up=0, how="length", more="", fields=(), chunked=False, close=False):
    """The head and the body."""
    lines = [f"{method} /{number}?down={down}&up={up}&how={how}{more} HTTP/1.1", "Host: soak.test", *fields]
    if close:
        lines.append("Connection: close")
    body = b"".join(bytes(wire.stream(number, wire.UP, at, min(up - at, 1 << 19))) for at in range(0, up, 1 << 19))
    if chunked:
        lines.append("Transfer-Encoding: chunked")
        pieces = []
        while body:
            count = visit.chance.choice((1, 500, 10_000, 60_000))
            pieces.append(b"%x\r\n%s\r\n" % (len(body[:count]), body[:count]))
            body = body[count:]
        body = b"".join(pieces) + b"0\r\n\r\n"
    elif up or method == "POST":
        lines.append(f"Content-Length: {up}")
    return "\r\n".join([*lines, "", ""]).encode(), body


def check_upload(head, number, up):
    if head["x-uploaded"] not in (None, str(wire.checksum(number, wire.UP, up))):
        raise wire.WrongBytes("the app got another body than was sent")


async def ask(visit, reader, number, **options):
    """One request and its answer; None when the connection ends with it."""
    before = reader.total
    try:
        return await _ask(visit, reader, number, **options)
    except OSError as error:
        if before and reader.total == before:
            raise Between(str(error)) from None
        raise


async def _ask(visit, reader, number, **options):
    user = options.pop("user", None)
    head, body = request(visit, number, **options)
    chance = visit.chance
    if body and chance.random() < 0.3:
        await visit.channel.send(head)
        await asyncio.sleep(chance.choice((0, 0.002, 0.05)))
        await visit.channel.send(body)
    else:
        await visit.channel.send(head + body)
    answer = await read_answer(reader, number, options.get("down", 0), user, options.get("method", "GET"))
    if answer.status == 200 and options.get("method") == "POST":
        check_upload(answer, number, options.get("up", 0))
    closes = "close" in (answer["connection"] or "").lower() or options.get("close")
    if closes and (extra := await reader.some()):
        raise wire.WrongBytes(f"bytes behind the end: {extra[:24].hex()}")
    return answer if not closes else None


async def honest(visit):
    """Several requests on one connection, or one that closes it."""
    chance = visit.chance
    reader = Reader(visit.channel)
    count = chance.choice((1, 1, 2, 5, 10))
    for index in range(count):
        number = visit.number if index == 0 else visit.next()
        options = {"down": size(chance), "how": chance.choice(("length", "length", "chunked", "close"))}
        if chance.random() < 0.4:
            options |= {"method": "POST", "up": size(chance), "chunked": chance.random() < 0.4}
            if chance.random() < 0.1:
                options["how"] = "length"
                options["fields"] = ("Expect: 100-continue",)
        elif chance.random() < 0.1:
            options["method"] = "HEAD"
            options["how"] = "length"
        if chance.random() < 0.03:
            options |= {"more": "&slow=1", "down": min(options["down"], 60_000)}
        options["close"] = count == 1 and chance.random() < 0.5
        if not await ask(visit, reader, number, **options):
            break
        if chance.random() < 0.3:
            await asyncio.sleep(chance.random() * 0.2)
    return "whole"


async def pipelines(visit):
    """Many requests at once, whose answers come in order."""
    chance = visit.chance
    asked = [(visit.number if index == 0 else visit.next(), chance.choice((0, 10, 5000, 60_000))) for index in range(chance.randrange(2, 12))]
    data = b"".join(request(visit, number, down=down)[0] for number, down in asked)
    sender = asyncio.create_task(visit.channel.send(data))
    reader = Reader(visit.channel)
    try:
        for number, down in asked:
            answer = await read_answer(reader, number, down)
            # A reload of the route may end it between two answers, and says so in the one before.
            if "close" in (answer["connection"] or "").lower():
                return "whole" if number == asked[-1][0] else "cut between requests"
        await sender
    finally:
        sender.cancel()
        await asyncio.gather(sender, return_exceptions=True)
    return "whole"


async def app_cuts(visit):
    """The app ends within its answer, with a reset or where the framing shows it; so it must show here too."""
    chance = visit.chance
    down = size(chance) + 10
    how = chance.choice(("length", "chunked", "close"))
    cut = chance.randrange(down)
    try:
        await ask(visit, Reader(visit.channel), visit.number, down=down, how=how, more=f"&cut={cut}&end={chance.randrange(2)}")
    except OSError:
        return "cut, as asked"
    raise client_stream.FalseEnd(f"{how}, {cut} of {down}")


async def answered_early(visit):
    """The app answers while the body is still on its way."""
    chance = visit.chance
    head, body = request(visit, visit.number, method="POST", up=200_000, down=100, how="early")
    sender = asyncio.create_task(visit.channel.send(head + body))
    try:
        await read_answer(Reader(visit.channel), visit.number, 100)
    finally:
        sender.cancel()
        await asyncio.gather(sender, return_exceptions=True)
    return "whole"


async def upgrades(visit):
    """From 101 on the connection carries any bytes."""
    chance = visit.chance
    head, _ = request(visit, visit.number, fields=(
        "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="))
    await visit.channel.send(head)
    reader = Reader(visit.channel)
    answer = await read_head(reader)
    if answer.status in OWN_ANSWERS:
        raise Unanswered(str(answer.status))
    if answer.status != 101 or answer["x-number"] != str(visit.number):
        raise Broken(f"{answer.status} instead of 101")
    flags = chance.choice((0, wire.DUPLEX)) | (wire.NO_RESETS if visit.has_no_resets else 0)
    header = wire.Header(visit.next(), size(chance), size(chance), flags)
    await client_stream.transfer(visit.channel, reader, header, visit.judge)
    return await client_stream.to_the_end(visit.channel, reader)


async def logs_in(visit):
    """As NTLM does: the connection is logged in, not the request; so it is this client's alone."""
    reader = Reader(visit.channel)
    user = f"user-{visit.number}"
    more = f"&user={user}"
    for step, word in enumerate((None, "NTLM begin", f"NTLM {user}", None)):
        number = visit.number if step == 0 else visit.next()
        fields = (f"Authorization: {word}",) if word else ()
        answer = await ask(visit, reader, number, more=more, fields=fields, user=user)
        if answer is None:
            return "cut between requests"
        if step >= 2 and answer["x-user"] != user:
            return "logged out"
        await asyncio.sleep(visit.chance.random() * 0.05)
    return "whole"


async def leaves(visit):
    """Goes with a reset at any moment."""
    chance = visit.chance
    head, body = request(visit, visit.number, method="POST", up=size(chance), down=size(chance))
    data = head + body
    await visit.channel.send(data[:chance.randrange(len(data) + 1)])
    await asyncio.sleep(chance.choice((0, 0.001, 0.01, 0.1)))
    if chance.random() < 0.3:
        # Perhaps nothing comes, for only a part was sent.
        try:
            async with asyncio.timeout(0.5):
                await visit.channel.recv(1000)
        except TimeoutError:
            pass
    visit.channel.reset()
    return "left"


async def half_a_head(visit):
    """Byte by byte, and never to the end: sent away with 408, or by its connection's end."""
    chance = visit.chance
    data = request(visit, visit.number)[0][:-2]
    try:
        for at in range(chance.randrange(len(data))):
            await visit.channel.send(data[at:at + 1])
            await asyncio.sleep(0.05)
        await visit.rest(chance.random() * 20)
    except OSError:
        pass
    visit.channel.reset()
    return "left"


async def talks_garbage(visit):
    chance = visit.chance
    data = chance.choice((
        chance.randbytes(200), b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 500, b"\r\n" * 1000, b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"))
    await visit.channel.send(data)
    try:
        while data := await visit.channel.recv():
            if b"X-Number" in data:
                raise wire.WrongBytes("an answer of the app's for garbage")
    except OSError:
        pass
    return "sent away"


async def never_reads(visit):
    head, _ = request(visit, visit.number, down=5_000_000)
    await visit.channel.send(head)
    await visit.rest(visit.chance.random() * 40)
    visit.channel.reset()
    return "left"
