"""Clients of routes of TCP: honest ones, slow ones, and ones that leave at any moment."""

import asyncio

import wire
from channels import Reader

SIZES = (0, 1, 100, 1000, 5000, 5000, 60_000, 60_000, 200_000)
LARGE = 1_000_000


class FalseEnd(Exception):
    """A clean end before the last byte: whoever trusts it has half a file and does not know."""


def size(chance):
    return LARGE + chance.randrange(1000) if chance.random() < 0.01 else chance.choice(SIZES) + chance.randrange(50)


async def transfer(channel, reader, header, judge, chance=None):
    """One transfer to its trailer; whatever is not as it should be is raised."""
    sender = asyncio.create_task(_upload(channel, header, chance))
    try:
        if not header.flags & wire.DUPLEX:
            await sender
        wire.decode_answer(await reader.exactly(wire.ANSWER_SIZE), b"HELO", header.number)
        check = wire.Check(header.number, wire.DOWN, header.down)
        try:
            while not check.is_whole:
                data = await reader.some(min(header.down - check.count, 1 << 18))
                if not data:
                    raise EOFError
                check.take(data)
            if header.flags & wire.CUT and header.cut == header.down:
                await reader.exactly(1)
            uploaded = wire.decode_answer(await reader.exactly(wire.ANSWER_SIZE), b"DONE", header.number)
        finally:
            if header.flags & wire.CUT:
                judge.note("cut", header.number, wire.ANSWER_SIZE + check.count)
        if uploaded != wire.checksum(header.number, wire.UP, header.up):
            raise wire.WrongBytes(f"the app got other bytes than the {header.up} that were sent")
        await sender
    except EOFError:
        raise FalseEnd from None
    finally:
        sender.cancel()
        await asyncio.gather(sender, return_exceptions=True)


async def _upload(channel, header, chance):
    first = header.encode()
    at = min(header.up, 1 << 16)
    # In one piece with the first bytes, or not.
    await channel.send(first + bytes(wire.stream(header.number, wire.UP, 0, at)))
    while at < header.up:
        piece = min(header.up - at, 1 << 16)
        await channel.send(wire.stream(header.number, wire.UP, at, piece))
        at += piece
        if chance and chance.random() < 0.1:
            await asyncio.sleep(chance.random() * 0.05)
    if header.flags & wire.HALF:
        await channel.finish()


async def to_the_end(channel, reader):
    """Behind a whole transfer there is an end, and nothing else."""
    try:
        if extra := await reader.some():
            raise wire.WrongBytes(f"{len(extra)} bytes behind the end: {extra[:24].hex()}")
    except OSError:
        # The app was killed between its last byte and its close.
        return "whole, then reset"
    return "whole"


async def honest(visit):
    """Up and down, one or several in a row."""
    chance = visit.chance
    reader = Reader(visit.channel)
    count = chance.choice((1, 1, 1, 1, 3, 8))
    for index in range(count):
        is_last = index == count - 1
        flags = chance.choice((0, 0, wire.DUPLEX)) | (wire.NO_RESETS if visit.has_no_resets else 0)
        flags |= chance.choice((0, wire.HALF)) if is_last else wire.KEEP
        if chance.random() < 0.05:
            flags |= chance.choice((wire.SLOW, wire.LAZY))
        limit = 60_000 if flags & (wire.SLOW | wire.LAZY) else LARGE * 2
        header = wire.Header(visit.number if index == 0 else visit.next(), min(size(chance), limit), min(size(chance), limit), flags)
        if index and visit.names_first:
            header.number = visit.number
        await transfer(visit.channel, reader, header, visit.judge, chance)
    return await to_the_end(visit.channel, reader)


async def app_resets(visit):
    """The app resets behind what its kernel knows to be delivered."""
    chance = visit.chance
    down = size(chance) + 1
    header = wire.Header(visit.number, min(size(chance), 5000), down, wire.CUT, cut=chance.randrange(down + 1))
    try:
        await transfer(visit.channel, Reader(visit.channel), header, visit.judge)
    except OSError:
        return "cut, as asked"
    raise wire.WrongBytes("more than the app has sent")


async def ends_early(visit):
    """Half of what was promised, and an end in good order: the app answers with a reset."""
    chance = visit.chance
    up = size(chance) + 10
    header = wire.Header(visit.number, up, 10, wire.EARLY_END)
    await visit.channel.send(header.encode() + bytes(wire.stream(header.number, wire.UP, 0, min(up - 1, 50_000))))
    await visit.channel.finish()
    try:
        if await visit.channel.recv():
            raise wire.WrongBytes("an answer to half a request")
    except OSError:
        return "cut, as asked"
    raise FalseEnd


async def leaves(visit):
    """Goes with a reset at any moment."""
    chance = visit.chance
    header = wire.Header(visit.number, size(chance), size(chance), chance.choice((0, wire.DUPLEX)) | (wire.NO_RESETS if visit.has_no_resets else 0))
    work = asyncio.create_task(transfer(visit.channel, Reader(visit.channel), header, visit.judge))
    done, _ = await asyncio.wait([work], timeout=chance.choice((0, 0.001, 0.01, 0.05, 0.5)))
    if done:
        await work
        return "whole"
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    visit.channel.reset()
    return "left"


async def reads_slowly(visit):
    """Takes a while for every piece; what waits for it is parked."""
    chance = visit.chance
    down = 300_000 + chance.randrange(300_000)
    header = wire.Header(visit.number, 10, down)
    await visit.channel.send(header.encode() + bytes(wire.stream(header.number, wire.UP, 0, 10)))
    reader = Reader(visit.channel)
    try:
        wire.decode_answer(await reader.exactly(wire.ANSWER_SIZE), b"HELO", header.number)
        check = wire.Check(header.number, wire.DOWN, down)
        while not check.is_whole:
            data = await reader.some(min(down - check.count, 20_000))
            if not data:
                raise EOFError
            check.take(data)
            await asyncio.sleep(chance.random() * 0.2)
        wire.decode_answer(await reader.exactly(wire.ANSWER_SIZE), b"DONE", header.number)
    except EOFError:
        raise FalseEnd from None
    return await to_the_end(visit.channel, reader)


async def never_reads(visit):
    """Asks for much and takes nothing, until it is sent away or has had enough."""
    header = wire.Header(visit.number, 0, 5_000_000)
    await visit.channel.send(header.encode())
    await visit.rest(visit.chance.random() * 40)
    visit.channel.reset()
    return "left"


async def says_nothing(visit):
    await visit.rest(visit.chance.random() * 40)
    visit.channel.reset()
    return "left"


async def talks_garbage(visit):
    """Bytes that mean nothing, a few at a time, with one of all kinds of ends."""
    chance = visit.chance
    try:
        await visit.channel.send(b"\xff")
        for _ in range(chance.randrange(20)):
            await visit.channel.send(chance.randbytes(chance.choice((1, 1, 1, 100))))
            await asyncio.sleep(chance.choice((0, 0.01, 0.1)))
        if chance.random() < 0.5:
            await visit.channel.finish()
            await visit.channel.recv()
    except OSError:
        pass
    if chance.random() < 0.5:
        visit.channel.reset()
    return "left"
