"""Conversations of a WebSocket client with a server that echoes, by the book or not: cases for comparing two ways to it.

The frames are made by hand, for a library refuses to make bad ones. They follow the groups of the Autobahn test suite.
"""

import dataclasses
import random
import struct
import zlib

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


@dataclasses.dataclass
class Case:
    """Sends `pieces`, one by one; reads so many frames; sends `then`; reads to the end."""

    name: str
    pieces: list
    answers: int
    then: bytes
    # It finishes sending after that, without waiting for the server to.
    half_closes: bool
    # permessage-deflate was agreed on.
    compressed: bool


def frame(opcode, payload=b"", fin=True, reserved=0, masked=True, length=None):
    """A client's frame; `length` is written instead of the payload's own."""
    size = len(payload)
    lead = bytes([fin << 7 | reserved << 4 | opcode])
    mask_bit = 0x80 if masked else 0
    if length is not None:
        lead += bytes([mask_bit | 127]) + struct.pack("!Q", length)
    elif size < 126:
        lead += bytes([mask_bit | size])
    elif size < 65536:
        lead += bytes([mask_bit | 126]) + struct.pack("!H", size)
    else:
        lead += bytes([mask_bit | 127]) + struct.pack("!Q", size)
    if not masked:
        return lead + payload
    key = b"\x1f\x80\x00\xc3"
    whole = int.from_bytes(payload, "big") ^ int.from_bytes((key * (size // 4 + 1))[:size], "big")
    return lead + key + whole.to_bytes(size, "big")


def close(code=1000, reason=b""):
    return frame(CLOSE, struct.pack("!H", code) + reason)


def deflated(data):
    compressor = zlib.compressobj(wbits=-15)
    return (compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


def in_parts(opcode, payload, size, between=()):
    """The message in frames of so many bytes, with other frames in between."""
    parts = [payload[at:at + size] for at in range(0, len(payload), size)] or [b""]
    frames = []
    for number, part in enumerate(parts):
        frames.append(frame(opcode if number == 0 else CONTINUATION, part, fin=number == len(parts) - 1))
        if number < len(parts) - 1:
            frames += between
    return frames


def cut(data, size):
    """The same bytes in sends of so many."""
    return [data[at:at + size] for at in range(0, len(data), size)]


def cases():
    """The whole table."""
    generator = random.Random(6455)
    euro = "Grüße, κόσμε, 🌍".encode()
    mib = 1 << 20
    table = []

    def good(name, *pieces, answers=1, then=close(), half_closes=False, compressed=False):
        table.append(Case(name, pieces, answers, then, half_closes, compressed))

    def bad(name, *pieces, **options):
        good(name, *pieces, answers=0, then=b"", **options)

    for opcode, kind in ((TEXT, "text"), (BINARY, "binary")):
        for size in (0, 1, 125, 126, 127, 128, 4096, 65535, 65536, 65537, mib - 1, mib, 4 * mib, 16 * mib):
            payload = bytes(size) if opcode == BINARY and size > 4 * mib else (
                generator.randbytes(size) if opcode == BINARY else b"*" * size)
            good(f"{kind} of {size} bytes", frame(opcode, payload))
        for size in (1, 7, 100):
            good(f"{kind} sent in pieces of {size} bytes", *cut(frame(opcode, b"x" * 300), size))
        for parts in (1, 2, 125, 126, 1000, 65536):
            payload = euro * 99 if parts < 9 else b"y" * 3 * parts
            good(f"{kind} in frames of {parts} bytes", b"".join(in_parts(opcode, payload, parts)))
        good(f"{kind} of 4 MiB in frames of 64 KiB", b"".join(in_parts(opcode, b"z" * 4 * mib, 65536)))
        good(f"{kind} in frames, each sent alone", *in_parts(opcode, b"w" * 50, 5))
        good(f"{kind} with pings between its frames",
             b"".join(in_parts(opcode, b"v" * 500, 50, [frame(PING, b"between")])), answers=10)
        good(f"{kind} in empty frames", frame(opcode, fin=False), frame(CONTINUATION, fin=False), frame(CONTINUATION))

    for size in (0, 1, 125):
        good(f"ping with {size} bytes", frame(PING, b"p" * size))
        good(f"pong that nobody asked for, with {size} bytes", frame(PONG, b"p" * size), frame(TEXT, b"still"))
    good("100 pings at once", b"".join(frame(PING, b"%d" % number) for number in range(100)), answers=100)
    good("ping sent byte by byte", *cut(frame(PING, b"slow"), 1))
    good("1000 messages at once", b"".join(frame(TEXT, b"message %d" % number) for number in range(1000)), answers=1000)
    for turn in (1, 2, 3):
        sizes = [generator.randrange(70_000) for _ in range(50)]
        stream = b"".join(frame(BINARY, generator.randbytes(size)) for size in sizes)
        pieces = []
        while stream:
            count = generator.choice([1, 3, 1447, 1448, 1449, 16384, 65536, 300_000])
            pieces, stream = [*pieces, stream[:count]], stream[count:]
        good(f"a stream cut anywhere, {turn}", *pieces, answers=50)

    # Control frames that are none.
    bad("ping with 126 bytes", frame(PING, b"p" * 126))
    bad("ping in frames", frame(PING, b"a", fin=False), frame(CONTINUATION, b"b"))
    bad("close with 126 bytes", frame(CLOSE, struct.pack("!H", 1000) + b"r" * 124))
    bad("close with one byte", frame(CLOSE, b"\x03"))
    bad("close without a code", frame(CLOSE))
    bad("close with a reason of 123 bytes", close(1000, b"r" * 123))
    bad("close with a reason that is no UTF-8", close(1000, b"\xff\xfe"))
    for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 3999, 4000, 4999,
                 0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535):
        bad(f"close with code {code}", close(code, euro))
    bad("close twice", close() + close())
    bad("a message after the close", close() + frame(TEXT, b"late"))
    bad("a ping after the close", close() + frame(PING, b"late"))
    bad("a close within a message", frame(TEXT, b"begun", fin=False) + close())

    # Frames that are none.
    for bits in range(1, 8):
        bad(f"reserved bits {bits} in a text", frame(TEXT, b"x", reserved=bits))
        bad(f"reserved bits {bits} in a ping", frame(PING, b"x", reserved=bits))
        bad(f"reserved bits {bits} in a close", frame(CLOSE, b"\x03\xe8", reserved=bits))
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        bad(f"opcode {opcode}", frame(opcode, b"x"))
        good(f"opcode {opcode} after a good message", frame(TEXT, b"good"), then=frame(opcode))
    bad("a frame that is not masked", frame(TEXT, b"bare", masked=False))
    bad("a close that is not masked", frame(CLOSE, b"\x03\xe8", masked=False))
    bad("a continuation of nothing", frame(CONTINUATION, b"x"))
    bad("a continuation of nothing that goes on", frame(CONTINUATION, b"x", fin=False))
    bad("a message within a message", frame(TEXT, b"one", fin=False), frame(TEXT, b"two"))
    bad("a length of 2^63", frame(BINARY, b"", length=1 << 63), half_closes=True)
    bad("a length of 16 EiB less one", frame(BINARY, b"", length=(1 << 64) - 1), half_closes=True)
    good("a length of 5 in eight bytes", frame(TEXT, b"short", length=5))

    # Text that is none.
    for name, text in {
        "a lone continuation byte": b"\x80", "a truncated character": "€".encode()[:2],
        "too long a form": b"\xc0\xaf",
        "too long a form of 4 bytes": b"\xf0\x80\x80\xaf", "a surrogate": b"\xed\xa0\x80",
        "U+110000": b"\xf4\x90\x80\x80",
        "byte 0xFE": b"\xfe", "byte 0xFF": b"\xff", "bad after good": euro + b"\xc3(",
    }.items():
        bad(f"text with {name}", frame(TEXT, text))
        bad(f"text with {name} in frames", b"".join(in_parts(TEXT, b"good " + text, 6)))
    for name, text in {"U+0000": b"\0", "U+10FFFF": b"\xf4\x8f\xbf\xbf", "a noncharacter": b"\xef\xbf\xbf"}.items():
        good(f"text with {name}", frame(TEXT, text))
    good("text whose characters are cut by its frames", b"".join(in_parts(TEXT, euro, 1)))

    # Compression.
    for size in (0, 1, 1000, 70_000, mib):
        text = (b"the same words again; " * (size // 22 + 1))[:size]
        good(f"compressed text of {size} bytes", frame(TEXT, deflated(text), reserved=4), compressed=True)
    noise = generator.randbytes(200_000)
    good("compressed noise", frame(BINARY, deflated(noise), reserved=4), compressed=True)
    good("not compressed, though it could be", frame(TEXT, b"plain"), compressed=True)
    whole = deflated(noise[:5000])
    good("compressed in frames", frame(BINARY, whole[:1000], fin=False, reserved=4), frame(CONTINUATION, whole[1000:]),
        compressed=True)
    bad("compressed rubbish", frame(BINARY, b"\xff\xff\xff\xff\xff", reserved=4), compressed=True)
    bad("compressed continuation", frame(BINARY, b"x", fin=False, reserved=4), frame(CONTINUATION, b"x", reserved=4),
        compressed=True)

    # Ends without a close.
    bad("nothing but an end", half_closes=True)
    good("a message and an end", frame(TEXT, b"last words"), then=b"", half_closes=True)
    good("1 MiB and an end", frame(BINARY, bytes(mib)), then=b"", half_closes=True)
    bad("half a message and an end", frame(TEXT, b"begun", fin=False), half_closes=True)
    bad("half a frame and an end", frame(TEXT, b"cut off")[:-3], half_closes=True)
    bad("half a head and an end", b"\x81", half_closes=True)
    bad("a close and an end", close(), half_closes=True)
    return table
