"""Transfers that describe themselves, so that whoever reads one knows whether it is whole, and whose it is.

A transfer has a number of its own, and from the number follow all of its bytes. Both sides know how many there are to be. So
bytes that are missing, wrong, twice or another client's show at once, and a clean end before the last byte is a lie.

    client: Header, `up` bytes            app: GREETING, `down` bytes, TRAILER
"""

import random
import struct
import zlib

# A prime, so that streams which are shifted by a round number of bytes differ too.
_LENGTH = 1048573
_BYTES = memoryview(random.Random(1).randbytes(_LENGTH) * 2)

# The app's part in a transfer.
DUPLEX = 1  # send while it is still receiving
HALF = 2  # wait for the client's end before its trailer
CUT = 4  # reset after `cut` bytes, once its kernel knows them delivered
SLOW = 8  # send in pieces, with pauses
LAZY = 16  # receive in pieces, with pauses
KEEP = 32  # expect another transfer on the same connection
EARLY_END = 64  # the client ends in good order before its last byte, and means it
NO_RESETS = 128  # a Unix socket is on the way, which turns resets into ends

_HEADER = struct.Struct("!4sQIIII")
_ANSWER = struct.Struct("!4sQI")
HEADER_SIZE = _HEADER.size + 4
ANSWER_SIZE = _ANSWER.size
UP, DOWN = 0, 1


def stream(number, direction, start, length):
    """A part of a transfer's bytes, of at most a MiB."""
    first = ((number * 0x9E3779B97F4A7C15 + direction * 0x7F4A7C15) % (1 << 64) + start) % _LENGTH
    return _BYTES[first:first + length]


def checksum(number, direction, length):
    value, at = 0, 0
    while at < length:
        piece = min(length - at, 1 << 19)
        value = zlib.crc32(stream(number, direction, at, piece), value)
        at += piece
    return value


class Check:
    """Compares what arrives with what a transfer's direction is made of."""

    def __init__(self, number, direction, length):
        self._number, self._direction, self.length = number, direction, length
        self.count = 0

    @property
    def is_whole(self):
        return self.count == self.length

    def take(self, data):
        """Raises WrongBytes at the first byte that is not as it should be, or too many."""
        if self.count + len(data) > self.length:
            raise WrongBytes(f"{self.count + len(data) - self.length} bytes too many behind {self.length}")
        at = 0
        while at < len(data):
            piece = data[at:at + (1 << 19)]
            if stream(self._number, self._direction, self.count, len(piece)) != piece:
                raise WrongBytes(f"wrong bytes behind {self.count} of {self.length}: {bytes(piece[:24]).hex()}")
            self.count += len(piece)
            at += len(piece)


class WrongBytes(Exception):
    """Bytes that nobody sent to this client."""


class Header:
    """A client's request."""

    def __init__(self, number, up, down, flags=0, cut=0):
        self.number, self.up, self.down, self.flags, self.cut = number, up, down, flags, cut

    def encode(self):
        data = _HEADER.pack(b"SOAK", self.number, self.up, self.down, self.flags, self.cut)
        return data + struct.pack("!I", zlib.crc32(data))

    @classmethod
    def decode(cls, data):
        """None where the bytes are no header."""
        magic, *values = _HEADER.unpack(data[:_HEADER.size])
        if magic != b"SOAK" or struct.pack("!I", zlib.crc32(data[:_HEADER.size])) != data[_HEADER.size:]:
            return None
        return cls(*values)


def greeting(number, generation):
    """The app's first message; the generation says which of its lives it is in."""
    return _ANSWER.pack(b"HELO", number, generation)


def trailer(number, uploaded):
    """The app's last message, once all of the client's bytes have arrived; `uploaded` is their checksum."""
    return _ANSWER.pack(b"DONE", number, uploaded)


def decode_answer(data, magic, number):
    """The value in a greeting or trailer, which must be for this transfer."""
    found, whose, value = _ANSWER.unpack(data)
    if found != magic or whose != number:
        raise WrongBytes(f"{data.hex()} instead of {magic.decode()} for {number}")
    return value


def address_of(number):
    """The client's address and port that a PROXY header names for a transfer."""
    mixed = number * 0x9E3779B97F4A7C15 % (1 << 64)
    return f"100.{64 + (mixed >> 16) % 64}.{(mixed >> 24) % 256}.{(mixed >> 32) % 256}", 1024 + (mixed >> 40) % 60000
