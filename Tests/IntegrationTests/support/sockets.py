"""Helpers for connected sockets: read to the end, reset, say what came of it."""

import fcntl
import hashlib
import select
import socket
import struct
import termios

LOOPBACK = "127.0.0.1"
LOOPBACK_V6 = "::1"


def family_of(address):
    """The socket family of an address: a path, an IPv6 or an IPv4 address."""
    if address.startswith(("/", "\0")):
        return socket.AF_UNIX
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def name_of(address, port):
    """Returns an address in the form that bind() and connect() take."""
    return address if family_of(address) == socket.AF_UNIX else (address, port)


def connect(namespace, address, port=None, timeout=10.0, receive_buffer=None, source=None):
    """A connection from inside a namespace."""
    client = namespace.socket(family_of(address), timeout=timeout)
    try:
        if receive_buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            client.bind((source, 0))
        client.connect(name_of(address, port))
    except BaseException:
        client.close()
        raise
    return client


def resets_when_closed(connection):
    """Makes the socket's close() a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def unacknowledged(connection):
    """Returns the number of bytes that were sent and that the other side's kernel has not acknowledged (tcp(7), SIOCOUTQ)."""
    return struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4)))[0]


def reset(connection):
    """Ends a connection with a reset."""
    resets_when_closed(connection)
    connection.close()


def read_exactly(connection, count):
    """Reads so many bytes; fails when the stream ends before."""
    data = bytearray()
    while len(data) < count:
        part = connection.recv(min(count - len(data), 1 << 20))
        if not part:
            raise EOFError(f"the stream ended after {len(data)} of {count} bytes")
        data += part
    return bytes(data)


def read_to_end(connection):
    """Reads all; returns the bytes and None for a clean end, or the error with which it ended."""
    data = bytearray()
    while True:
        try:
            part = connection.recv(1 << 20)
        except OSError as error:
            return bytes(data), error
        if not part:
            return bytes(data), None
        data += part


def digest_to_end(connection):
    """Reads all and keeps nothing; returns the byte count and the SHA-256."""
    digest, count = hashlib.sha256(), 0
    buffer = bytearray(4 << 20)
    view = memoryview(buffer)
    while True:
        received = connection.recv_into(buffer)
        if received == 0:
            return count, digest.hexdigest()
        digest.update(view[:received])
        count += received


def wait_for_error(connection, limit=5.0):
    """Waits until the kernel has noted an error for a connection from which nothing is to be read any more.

    Returns its errno, or None when there is none within the limit.
    """
    poller = select.poll()
    poller.register(connection, 0)  # errors are reported without being asked for
    for _, events in poller.poll(limit * 1000):
        if events & select.POLLERR:
            return connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    return None
