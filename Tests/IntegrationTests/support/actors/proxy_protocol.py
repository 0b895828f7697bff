"""Headers of the PROXY protocol, made and read by hand, so that what loopbridge makes of them is held to another reading."""

import dataclasses
import ipaddress
import struct

from support.namespaces import Cable
from support.sockets import read_exactly

#: Clients that a header names, and the addresses that they have connected to.
SOURCE, DESTINATION = "192.0.2.1", "198.51.100.2"
SOURCE_V6, DESTINATION_V6 = "2001:db8::1", "2001:db8::2"

#: The clients outside, as `trusted_proxies` names them.
TRUSTED = f'[{Cable.OUTSIDE}, "{Cable.OUTSIDE_V6}"]'

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LOCAL, PROXY = 0x20, 0x21
CHECKSUM, UNIQUE_ID, TLS = 0x03, 0x05, 0x20


def text(source, destination, source_port=1000, port=443):
    """A header of version 1."""
    kind = 6 if ":" in source else 4
    return f"PROXY TCP{kind} {source} {destination} {source_port} {port}\r\n".encode()


def field(kind, value, length=None):
    """A field of version 2."""
    return struct.pack("!BH", kind, len(value) if length is None else length) + value


def addresses(source, destination, source_port=1000, port=443):
    """The addresses of version 2."""
    packed = ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed
    return packed + struct.pack("!HH", source_port, port)


def raw(command=PROXY, family=0x11, rest=b"", length=None):
    """A header of version 2 that says whatever it is told to."""
    return SIGNATURE + struct.pack("!BBH", command, family, len(rest) if length is None else length) + rest


def binary(source, destination, source_port=1000, port=443, fields=b""):
    """A header of version 2."""
    family = 0x21 if ":" in source else 0x11
    return raw(PROXY, family, addresses(source, destination, source_port, port) + fields)


FORMS = {"v1": text, "v2": binary}


@dataclasses.dataclass
class Header:
    """A header as an app reads it; `fields` as {type: value}, addresses are None where the client is unknown."""

    version: int
    source: str | None
    destination: str | None
    source_port: int = 0
    port: int = 0
    fields: dict = dataclasses.field(default_factory=dict)


def read_header(connection):
    """Reads a header from an app's connection, and nothing behind it."""
    start = read_exactly(connection, 6)
    return _read_text(connection) if start == b"PROXY " else _read_binary(connection, start)


def _read_text(connection):
    line = b""
    while not line.endswith(b"\r\n"):
        line += read_exactly(connection, 1)
        assert len(line) <= 101, line
    words = line[:-2].decode().split(" ")
    if words == ["UNKNOWN"]:
        return Header(1, None, None)
    kind, source, destination, source_port, port = words
    version = {"TCP4": 4, "TCP6": 6}[kind]
    assert ipaddress.ip_address(source).version == ipaddress.ip_address(destination).version == version
    return Header(1, source, destination, int(source_port), int(port))


def _read_binary(connection, start):
    head = start + read_exactly(connection, 10)
    assert head[:12] == SIGNATURE, head
    command, family, length = struct.unpack("!BBH", head[12:])
    if command == LOCAL:
        assert (family, length) == (0, 0)
        return Header(2, None, None)
    assert command == PROXY
    rest = read_exactly(connection, length) if length else b""
    _check(head + rest)
    if family == 0x31:
        names = [rest[at:at + 108].rstrip(b"\0").decode() for at in (0, 108)]
        return Header(2, *names, fields=_fields(rest[216:]))
    size = {0x11: 4, 0x21: 16}[family]
    source, destination = (str(ipaddress.ip_address(rest[at:at + size])) for at in (0, size))
    ports = struct.unpack("!HH", rest[2 * size:2 * size + 4])
    return Header(2, source, destination, *ports, fields=_fields(rest[2 * size + 4:]))


def crc32c(data):
    """Bit by bit (RFC 9260 appendix A)."""
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


def _check(header):
    """A header that names somebody ends with its checksum, which counts as zeros."""
    assert header[-7:-4] == struct.pack("!BH", CHECKSUM, 4), header
    assert header[-4:] == struct.pack("!I", crc32c(header[:-4] + bytes(4))), header


def _fields(data):
    fields = {}
    while data:
        kind, length = struct.unpack("!BH", data[:3])
        assert len(data) >= 3 + length and kind not in fields
        fields[kind], data = data[3:3 + length], data[3 + length:]
    return fields


def address(host, port=1000):
    """Returns an address and a port as logs write them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
