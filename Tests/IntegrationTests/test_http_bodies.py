"""Bodies of any size, in every framing, through bounded memory."""

import hashlib
import socket
import threading
import time

import pytest

from support.http import Client, HTTPApp, get, ok
from support.namespaces import Cable
from support.settings import IS_SANITIZED
from support.sockets import connect
from support.waiting import stays_true, wait_until

MIB = 1 << 20
BLOCK = hashlib.sha256(b"seed").digest() * (2 * MIB // 32)
TOTAL = 256 * MIB


@pytest.fixture
def bridge(loopbridge):
    return loopbridge("--workers", "1", "8080:8000/http")


def pieces(total):
    """So many bytes in pieces of sizes that fit nothing."""
    sizes = [1, 17, 4096, 65537, 100_000, 1_500_001]
    offset = 0
    number = 0
    while offset < total:
        size = min(sizes[number % len(sizes)], total - offset)
        yield BLOCK[:size]
        offset += size
        number += 1


def digest_of(total):
    digest = hashlib.sha256()
    for piece in pieces(total):
        digest.update(piece)
    return digest.hexdigest()


def send_body(connection, framing, total):
    for piece in pieces(total):
        if framing == "chunked":
            connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        else:
            connection.sendall(piece)
    if framing == "chunked":
        connection.sendall(b"0\r\n\r\n")


def fields_for(framing, total):
    return {
        "length": b"Content-Length: %d\r\n" % total, "chunked": b"Transfer-Encoding: chunked\r\n", "close": b"",
    }[framing]


def digest_body(reader, framing, total):
    digest, count = hashlib.sha256(), 0

    def add(size):
        nonlocal count
        while size > 0:
            data = reader._file.read1(min(size, MIB))
            if not data:
                return
            digest.update(data)
            count += len(data)
            size -= len(data)

    if framing != "chunked":
        add(total)
        return count, digest.hexdigest()
    while True:
        size = int(reader._file.readline(), 16)
        if size == 0:
            assert reader._file.readline() == b"\r\n"
            return count, digest.hexdigest()
        add(size)
        assert reader._file.readline() == b"\r\n"


@pytest.mark.load
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_upload(container, outside, bridge, framing):
    results = []

    def serve(request):
        results.append(digest_body(request.reader, framing, TOTAL))
        request.connection.sendall(ok(b"got it"))

    with HTTPApp(container, serve, reads_body=False), Client(outside, timeout=60) as client:
        client.send(get("/", fields_for(framing, TOTAL), "PUT"))
        send_body(client.connection, framing, TOTAL)
        assert client.response().body == b"got it"
        assert results == [(TOTAL, digest_of(TOTAL))]
        if not IS_SANITIZED:
            assert bridge.memory("VmHWM") < 40 * MIB


@pytest.mark.load
@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_download(container, outside, bridge, framing):
    def serve(request):
        request.connection.sendall(b"HTTP/1.1 200 OK\r\n" + fields_for(framing, TOTAL) + b"\r\n")
        send_body(request.connection, framing, TOTAL)
        return framing != "close"

    with HTTPApp(container, serve), Client(outside, timeout=60) as client:
        client.send(get())
        client._reader.head()
        assert digest_body(client._reader, framing, TOTAL) == (TOTAL, digest_of(TOTAL))
        if not IS_SANITIZED:
            assert bridge.memory("VmHWM") < 40 * MIB
        if framing != "close":
            # The connections are at the beginning of the next message, both.
            client.send(get())
            client._reader.head()
            assert digest_body(client._reader, framing, TOTAL) == (TOTAL, digest_of(TOTAL))


def test_both_ways_at_the_same_time(container, outside, bridge):
    """An app that answers with what it is just getting."""
    total = 20 * MIB

    def serve(request):
        request.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % total)
        left = total
        while left:
            data = request.reader._file.read1(min(left, 65536))
            request.connection.sendall(data)
            left -= len(data)
        return False

    with HTTPApp(container, serve, reads_body=False), Client(outside, timeout=30) as client:
        client.send(get("/", fields_for("length", total), "POST"))
        sender = threading.Thread(target=send_body, args=(client.connection, "length", total))
        sender.start()
        head = client._reader.message(body_follows=False)
        assert digest_body(client._reader, "length", total) == (total, digest_of(total))
        sender.join(10)
        # The end of the request was not there yet when the answer began.
        assert head[b"connection"] == b"close"


@pytest.mark.load
@pytest.mark.skipif(IS_SANITIZED, reason="a sanitizer takes memory of its own")
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_clients_that_read_nothing_cost_little(container, outside, bridge, framing):
    for namespace in (container, outside):
        namespace.sysctl("net.ipv4.tcp_wmem", "4096 65536 131072")
        namespace.sysctl("net.ipv4.tcp_rmem", "4096 65536 131072")

    def serve(request):
        if request.line == b"GET /small HTTP/1.1":
            return request.connection.sendall(ok(b"small"))
        request.connection.sendall(b"HTTP/1.1 200 OK\r\n" + fields_for(framing, 8 * MIB) + b"\r\n")
        send_body(request.connection, framing, 8 * MIB)

    with HTTPApp(container, serve) as app:
        clients = [Client(outside, receive_buffer=4096, timeout=30).send(get()) for _ in range(500)]
        wait_until(lambda: app.served == 500, "all have reached the app", limit=20)
        with Client(outside) as good:
            assert good.ask(get("/small")).body == b"small"
        stays_true(lambda: bridge.memory("VmHWM") < 100 * MIB, "memory grows", 1)
        clients[0]._reader.head()
        assert digest_body(clients[0]._reader, framing, 8 * MIB) == (8 * MIB, digest_of(8 * MIB))
        for client in clients:
            client.close()


@pytest.mark.load
@pytest.mark.skipif(IS_SANITIZED, reason="a sanitizer takes memory of its own")
def test_an_app_that_reads_nothing_does_not_grow_memory(container, outside, bridge):
    def serve(request):
        if request.line == b"GET /small HTTP/1.1":
            return request.connection.sendall(ok(b"small"))
        stop.wait(30)

    stop = threading.Event()
    with HTTPApp(container, serve, reads_body=False, receive_buffer=4096) as app:
        uploads = []
        for number in range(100):
            upload = connect(outside, Cable.CONTAINER, 8080, timeout=0.5)
            upload.sendall(get("/", fields_for("chunked" if number % 2 else "length", 8 * MIB), "PUT"))
            uploads.append(upload)
        wait_until(lambda: app.served == 100, "all have reached the app", limit=20)
        block = b"10000\r\n" + bytes(65536) + b"\r\n"
        for upload in uploads:
            upload.setblocking(False)
        full = set()
        deadline = time.monotonic() + 20
        while len(full) < len(uploads) and time.monotonic() < deadline:
            for upload in uploads:
                try:
                    sent = upload.send(block)
                    if sent < len(block):
                        full.add(upload)
                except BlockingIOError:
                    full.add(upload)
        assert bridge.memory("VmHWM") < 100 * MIB
        with Client(outside) as good:
            assert good.ask(get("/small")).body == b"small"
        for upload in uploads:
            upload.close()
        stop.set()
