"""Small UDP apps and clients."""

import contextlib
import socket
import struct
import threading

from support.sockets import LOOPBACK, family_of

LONGEST = 65507


class DatagramApp:
    """Answers each datagram with what a function makes of it, on a thread; None is no answer.

    `senders` has whom datagrams came from, `count` how many they were.
    """

    def __init__(self, namespace, answer=lambda data: data, address=LOOPBACK, port=5300):
        self.socket = namespace.socket(family_of(address), socket.SOCK_DGRAM, timeout=None)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.socket.bind((address, port))
        self._answer = answer
        self._ending = False
        self.count = 0
        self.senders = set()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                data, sender = self.socket.recvfrom(70000)
            except OSError:
                return
            if self._ending:
                return
            self.count += 1
            self.senders.add(sender[:2])
            answer = self._answer(data)
            for part in answer if isinstance(answer, list) else [answer]:
                if part is not None:
                    with contextlib.suppress(OSError):
                        self.socket.sendto(part, sender)

    def stop(self):
        self._ending = True
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)  # ends recvfrom(), though it complains of a socket without a peer
        self._thread.join(10)
        assert not self._thread.is_alive()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def client(namespace, address, port=8053, timeout=10.0, source=None):
    """A socket that speaks with one address."""
    new = namespace.socket(family_of(address), socket.SOCK_DGRAM, timeout=timeout)
    new.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    if source:
        new.bind(source)
    new.connect((address, port))
    return new


def ask(asking, data=b"hello"):
    """Sends a datagram and returns the response."""
    asking.send(data)
    return asking.recv(70000)


def hears_nothing(listening, duration=0.2):
    """Whether nothing, not even a refusal, comes in this time."""
    before = listening.gettimeout()
    listening.settimeout(duration)
    try:
        listening.recv(70000)
        return False
    except TimeoutError:
        return True
    finally:
        listening.settimeout(before)


def sockets(namespace, port, remote=False):
    """Returns the number of UDP sockets inside with this local, or remote, port."""
    count = 0
    for table in ("udp", "udp6"):
        with namespace.entered():
            try:
                with open(f"/proc/thread-self/net/{table}") as file:
                    lines = file.read().splitlines()[1:]
            except FileNotFoundError:
                continue
        for line in lines:
            fields = line.split()
            count += int(fields[2 if remote else 1].split(":")[1], 16) == port
    return count


def dns_query(number, name):
    """A question for an IPv4 address."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", 1, 1)


def dns_answer(data):
    """The number, the code and the last four bytes of an answer: the address, where there is one."""
    number, flags, _, answers, _, _ = struct.unpack("!HHHHHH", data[:12])
    return number, flags & 15, socket.inet_ntoa(data[-4:]) if answers else None
