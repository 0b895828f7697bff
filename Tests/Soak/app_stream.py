"""The app behind routes of TCP: serves transfers, and judges what clients have sent."""

import asyncio
import fcntl
import socket
import struct
import termios
import time
import zlib

import wire
from channels import Hung, Reader

_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


async def serve(channel, connection, report, generation, has_proxy_header):
    """Serves one connection. Until the last byte of an answer is out, an end of this process is a reset, whatever ends it: so a
    truncated answer with a clean end is always somebody else's lie."""
    reader = Reader(channel)
    try:
        named = await _proxy_header(reader) if has_proxy_header else None
        if not await serve_transfers(channel, connection, reader, report, generation, named):
            channel.reset()
            return
        await end(channel, connection, reader)
    except wire.WrongBytes as error:
        report("wrong", 0, str(error))
        channel.reset()
    except (OSError, EOFError, Hung):
        channel.reset()


async def serve_transfers(channel, connection, reader, report, generation, named=None):
    """Serves transfers until one is the last; whether the connection is to end in good order."""
    is_unix = connection.family == socket.AF_UNIX
    while True:
        header = await _header(reader, report, is_unix)
        if header is None:
            return True
        if named and named != wire.address_of(header.number):
            report("foreign", header.number, f"the PROXY header names {named}, not {wire.address_of(header.number)}")
        try:
            if not await _transfer(channel, connection, reader, header, report, generation, is_unix):
                return False
        except wire.WrongBytes as error:
            report("wrong", header.number, str(error))
            return False
        if not header.flags & wire.KEEP:
            return True


async def end(channel, connection, reader):
    """All has been sent: says so, waits a while for the other side's end, and closes."""
    await channel.finish()
    try:
        async with asyncio.timeout(10):
            while await reader.some():
                pass
    except TimeoutError:
        pass
    end_in_good_order(connection, connection.family == socket.AF_UNIX)
    channel.close()


def end_in_good_order(connection, is_unix):
    if not is_unix:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 0, 0))


async def _header(reader, report, is_unix):
    """The next transfer's, or None at a clean end. Who means to send something else begins it with the byte 255."""
    data = b""
    try:
        while len(data) < wire.HEADER_SIZE:
            data += await reader.exactly(1) if not data else await reader.exactly(wire.HEADER_SIZE - len(data))
            if data[0] == 255:
                raise EOFError
    except EOFError:
        if data and data[0] != 255 and not is_unix:
            report("false upload", 0, f"a clean end within a header: {data.hex()}")
        if data:
            raise
        return None
    header = wire.Header.decode(data)
    if header is None:
        report("wrong", 0, f"no header: {data.hex()}")
        raise EOFError
    return header


async def _transfer(channel, connection, reader, header, report, generation, is_unix):
    """Whether the connection goes on, or ends in good order."""
    answer = asyncio.create_task(_answer(channel, header, generation)) if header.flags & wire.DUPLEX else None
    try:
        check = wire.Check(header.number, wire.UP, header.up)
        checksum = 0
        while not check.is_whole:
            if header.flags & wire.LAZY:
                await asyncio.sleep(0.005)
            data = await reader.some(min(header.up - check.count, 16384 if header.flags & wire.LAZY else 1 << 18))
            if not data:
                if not header.flags & (wire.EARLY_END | wire.NO_RESETS):
                    report("false upload", header.number, f"a clean end behind {check.count} of {header.up} bytes")
                return False
            check.take(data)
            checksum = zlib.crc32(data, checksum)
        if header.flags & wire.HALF and await reader.some():
            raise wire.WrongBytes(f"bytes behind all {header.up}")
        if not await (answer or _answer(channel, header, generation)):
            await _wait_until_delivered(connection, header, report, is_unix)
            return False
        await channel.send(wire.trailer(header.number, checksum))
        return True
    finally:
        if answer:
            answer.cancel()
            await asyncio.gather(answer, return_exceptions=True)


async def _answer(channel, header, generation):
    """Sends all but the trailer; whether that is to follow."""
    await channel.send(wire.greeting(header.number, generation))
    count = header.cut if header.flags & wire.CUT else header.down
    piece = 3000 if header.flags & wire.SLOW else 1 << 18
    for at in range(0, count, piece):
        await channel.send(wire.stream(header.number, wire.DOWN, at, min(piece, count - at)))
        if header.flags & wire.SLOW:
            await asyncio.sleep(0.01)
    return not header.flags & wire.CUT


async def _wait_until_delivered(connection, header, report, is_unix):
    """Bytes that the other kernel has acknowledged must arrive, though a reset follows."""
    if is_unix:
        return
    deadline = time.monotonic() + 3
    while True:
        left = struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4)))[0]
        if left == 0 or time.monotonic() > deadline:
            break
        await asyncio.sleep(0.002)
    report("cut", header.number, max(0, wire.ANSWER_SIZE + header.cut - left))


async def _proxy_header(reader):
    """The client's address and port that a header of version 2 names."""
    head = await reader.exactly(16)
    if head[:12] != _SIGNATURE or head[12] != 0x21 or head[13] != 0x11:
        raise wire.WrongBytes(f"no PROXY header: {head.hex()}")
    rest = await reader.exactly(struct.unpack("!H", head[14:])[0])
    return socket.inet_ntoa(rest[:4]), struct.unpack("!H", rest[8:10])[0]
