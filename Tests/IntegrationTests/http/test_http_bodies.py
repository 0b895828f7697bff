"""Bodies far larger than any buffer, up and down, with a length, in chunks and up to the connection's end, in bounded
memory."""

import hashlib
import random
import socket
import threading

import pytest

from support.apps import App
from support.namespaces import Cable
from support.programs.web_apps import http_route
from support.settings import BODY_GIB, IS_RELEASE
from support.sockets import connect
from support.waiting import wait_until

MIB = 1 << 20
BLOCK = memoryview(random.Random(9).randbytes(4 * MIB))
COUNT = int(BODY_GIB * (1 << 30))
DONE = b"HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n"


def parts_of(count):
    """So many bytes, in parts of sizes and contents that do not repeat."""
    generator = random.Random(count)
    while count:
        size = min(count, generator.choice([1, 17, 4096, 65_536, MIB, 3 * MIB + 5]))
        start = generator.randrange(len(BLOCK) - size)
        yield BLOCK[start:start + size]
        count -= size


def send_body(connection, chunked):
    """Sends COUNT bytes as a body; returns their SHA-256."""
    digest = hashlib.sha256()
    for part in parts_of(COUNT):
        digest.update(part)
        if chunked:
            connection.sendall(b"%x\r\n" % len(part))
        connection.sendall(part)
        if chunked:
            connection.sendall(b"\r\n")
    if chunked:
        connection.sendall(b"0\r\n\r\n")
    return digest.hexdigest()


def read_head(stream):
    """Reads a head; returns its first line and its fields, names in small letters."""
    first, fields = stream.readline(), {}
    while (line := stream.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        fields[name.lower()] = value.strip()
    return first, fields


def digest_of_body(stream, fields):
    """Reads a body as its head says, keeping nothing; returns its length and SHA-256."""
    digest, count, buffer = hashlib.sha256(), 0, memoryview(bytearray(MIB))

    def take(left):
        nonlocal count
        while left:
            received = stream.readinto(buffer[:min(left, MIB)])
            if not received:
                raise ConnectionError(f"it ended after {count} bytes")
            digest.update(buffer[:received])
            count, left = count + received, left - received

    if fields.get(b"transfer-encoding") == b"chunked":
        while size := int(stream.readline(), 16):
            take(size)
            assert stream.readline() == b"\r\n"
        assert stream.readline() == b"\r\n"
    else:
        take(int(fields[b"content-length"]))
    return count, digest.hexdigest()


FRAMING = {
    "with a length": b"Content-Length: %d\r\n" % COUNT,
    "in chunks": b"Transfer-Encoding: chunked\r\n",
    "until the end": b"",
}


@pytest.mark.load
@pytest.mark.limit(400)
@pytest.mark.parametrize("way, framing", [
    ("up", "with a length"), ("up", "in chunks"), ("down", "with a length"), ("down", "in chunks"),
    ("down", "until the end")])
def test_a_big_body_is_the_same_at_the_other_end(container, outside, loopbridge, tmp_path, way, framing):
    program = loopbridge(*http_route(tmp_path))
    sent = []

    def serve(connection):
        connection.settimeout(60)
        with connection.makefile("rb", buffering=1 << 16) as stream:
            while True:
                first, fields = read_head(stream)
                if not first:
                    return
                if first.startswith(b"PUT"):
                    connection.sendall(DONE + digest_of_body(stream, fields)[1].encode())
                else:
                    connection.sendall(b"HTTP/1.1 200 OK\r\n" + FRAMING[framing] + b"\r\n")
                    sent.append(send_body(connection, framing == "in chunks"))
                    if framing == "until the end":
                        return

    with App(container, serve) as app:
        with connect(outside, Cable.CONTAINER, 8080, timeout=60) as client, client.makefile("rb") as stream:
            if way == "up":
                client.sendall(b"PUT / HTTP/1.1\r\nHost: x\r\n" + FRAMING[framing] + b"\r\n")
                sent.append(send_body(client, framing == "in chunks"))
                first, fields = read_head(stream)
                assert first.startswith(b"HTTP/1.1 200 ")
                assert stream.read(64).decode() == sent[0]
            else:
                client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                first, fields = read_head(stream)
                assert first.startswith(b"HTTP/1.1 200 ")
                count, digest = digest_of_body(stream, fields)
                wait_until(lambda: sent, "the app knows what it has sent")
                assert (count, digest) == (COUNT, sent[0])
            if IS_RELEASE:
                most = program.memory("VmHWM")
                print(f"{BODY_GIB:g} GiB {way}, {framing}: {most / MIB:.1f} MiB at the most")
                assert most < 32 * MIB
            # And the connections are good for another one.
            client.sendall(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nend")
            read_head(stream)
            assert stream.read(64).decode() == hashlib.sha256(b"end").hexdigest()
            assert app.accepted == (2 if framing == "until the end" else 1)


@pytest.mark.load
@pytest.mark.limit(120)
def test_an_app_that_reads_nothing_and_clients_that_read_nothing(container, outside, loopbridge, tmp_path):
    """Many big uploads to an app that stands still, many big downloads to clients that do: memory stays bounded."""
    program = loopbridge("--workers", "1", *http_route(tmp_path))
    go_on = threading.Event()
    size = 64 * MIB

    def serve(connection):
        # A timeout would be one for all of a sendall(), however much of it has gone already; the test has a limit of its own.
        connection.settimeout(None)
        with connection.makefile("rb", buffering=4096) as stream:
            first, fields = read_head(stream)
            if first.startswith(b"PUT"):
                go_on.wait()
                connection.sendall(DONE + digest_of_body(stream, fields)[1].encode())
            elif first:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
                connection.sendall(bytes(size))

    with App(container, serve) as app:
        clients = []
        for number in range(100):
            client = connect(outside, Cable.CONTAINER, 8080, receive_buffer=4096)
            client.setblocking(False)
            if number % 2:
                client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            else:
                client.send(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size)
            clients.append(client)
        wait_until(lambda: app.accepted == len(clients), "all have reached the app")
        uploads, zeroes, taken = clients[::2], bytes(MIB), {client: 0 for client in clients[::2]}
        for _ in range(3):
            for client in uploads:
                try:
                    while True:
                        taken[client] += client.send(zeroes)
                except BlockingIOError:
                    pass
            program.wait_until_quiet()
        assert all(0 < count < size / 2 for count in taken.values())
        if IS_RELEASE:
            most = program.memory("VmHWM")
            print(f"{most / MIB:.1f} MiB at the most")
            # The parked bytes are bounded by 32 MiB.
            assert most < 64 * MIB

        # Once they go on, nothing is lost.
        go_on.set()
        for client, begun in ((uploads[0], taken[uploads[0]]), (clients[1], None)):
            client.settimeout(None)
            # With 4 KiB at a time, 64 MiB would take half a minute on a busy machine.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, MIB)
            with client.makefile("rb") as stream:
                if begun is None:
                    _, fields = read_head(stream)
                    assert digest_of_body(stream, fields) == (size, hashlib.sha256(bytes(size)).hexdigest())
                else:
                    client.sendall(bytes(size - begun))
                    read_head(stream)
                    assert stream.read(64).decode() == hashlib.sha256(bytes(size)).hexdigest()
        for client in clients:
            client.close()
