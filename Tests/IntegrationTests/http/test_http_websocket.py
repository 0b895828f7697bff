"""WebSockets: whatever a client or a server says, by the book or not, comes across exactly as it does without us."""

import base64
import contextlib
import hashlib
import re
import socket
import threading

import pytest

from support.actors.websocket_cases import BINARY, CLOSE, PING, TEXT, cases, close, frame, in_parts
from support.apps import App
from support.namespaces import Cable
from support.packages import needs
from support.programs.web_apps import http_route
from support.programs.websockets import open_websocket
from support.sockets import LOOPBACK, connect, read_exactly, read_to_end, reset
from support.waiting import wait_until

pytestmark = [needs("websockets"), pytest.mark.limit(150)]
KEY = base64.b64encode(b"a nonce of 16 B.")


@pytest.fixture
def ways(container, outside, loopbridge, tmp_path):
    """The two ways to the app: (namespace, host, port) directly and through the bridge."""
    loopbridge(*http_route(tmp_path, host="upstream"))
    return (container, LOOPBACK, 8000), (outside, Cable.CONTAINER, 8080)


@contextlib.contextmanager
def echo_server(container):
    """The websockets package's server, sending back every message."""
    from websockets.exceptions import ConnectionClosed
    from websockets.sync.server import serve

    def echo(connection):
        with contextlib.suppress(ConnectionClosed):
            for message in connection:
                connection.send(message)

    listener = container.socket(timeout=None)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((LOOPBACK, 8000))
    listener.listen(100)
    with serve(echo, sock=listener, max_size=None, ping_interval=None, close_timeout=10) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield
        server.shutdown()
    thread.join(10)


def handshake(client, compressed):
    """Opens a WebSocket by hand; returns the answer's fields, in order of name, without the time of day."""
    client.sendall(
        b"GET /chat HTTP/1.1\r\nHost: localhost:8000\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: " + KEY + b"\r\nSec-WebSocket-Version: 13\r\n"
        + (b"Sec-WebSocket-Extensions: permessage-deflate\r\n" if compressed else b"") + b"\r\n")
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = client.recv(1)
        assert byte, f"it ended after {head}"
        head += byte
    assert head.startswith(b"HTTP/1.1 101 ")
    # Connection is about one connection, and so is said anew by whoever is in between.
    return sorted(re.sub(rb"Date: [^\r]*", b"Date:", head).split(b"\r\n"))


def read_frame(client):
    """A whole frame, as it came."""
    lead = read_exactly(client, 2)
    size = lead[1] & 0x7F
    more = read_exactly(client, {126: 2, 127: 8}.get(size, 0))
    return lead + more + read_exactly(client, int.from_bytes(more, "big") if more else size)


def converse(way, case):
    """All that a client of the case gets: the answer's head, every byte until the end, and how that came."""
    namespace, host, port = way
    with connect(namespace, host, port, timeout=20) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head = handshake(client, case.compressed)

        def send():
            for piece in case.pieces:
                client.sendall(piece)

        # Both ways at once: a server that cannot send stops reading.
        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        received = b"".join([read_frame(client) for _ in range(case.answers)])
        sender.join(20)
        client.sendall(case.then)
        if case.half_closes:
            client.shutdown(socket.SHUT_WR)
        rest, error = read_to_end(client)
    # Large ones are compared by what they come to.
    received += rest
    return head, len(received), hashlib.sha256(received).hexdigest(), received[-200:], type(error)


def test_every_case_ends_as_it_does_directly(container, ways):
    direct, bridged = ways
    table = cases()
    assert len({case.name for case in table}) == len(table) >= 150
    differing = {}
    with echo_server(container):
        for case in table:
            expected, got = converse(direct, case), converse(bridged, case)
            if expected != got:
                differing[case.name] = (expected, got)
    assert not differing, f"{len(differing)} of {len(table)}, such as {dict([*differing.items()][:3])}"


def answer_by_hand(connection, more=b""):
    """Takes a handshake from a client and switches protocols; returns what came after it."""
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65536)
        assert part, f"it ended after {received}"
        received += part
    head, _, rest = received.partition(b"\r\n\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (
        line.partition(b":") for line in head.split(b"\r\n")[1:])}
    assert {b"upgrade", b"connection"} <= fields.keys(), head
    proof = hashlib.sha1(fields[b"sec-websocket-key"] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    connection.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        + base64.b64encode(proof) + b"\r\n\r\n" + more)
    return rest


def server_frame(opcode, payload=b"", **options):
    return frame(opcode, payload, masked=False, **options)


@pytest.mark.parametrize("first_words", ["with its 101", "after its 101"])
def test_whatever_a_server_says_a_client_hears_as_it_does_directly(container, ways, first_words):
    """The websockets package's client before a server that says things by the book, and others."""
    from websockets.exceptions import ConnectionClosed
    words = {
        "a text": server_frame(TEXT, b"hello") + server_frame(8, b"\x03\xe8bye"),
        "a text of 300 kB": server_frame(TEXT, b"t" * 300_000) + server_frame(8, b"\x0b\xb8"),
        "a binary in frames": b"".join([server_frame(BINARY, b"one", fin=False), server_frame(PING, b"?"),
                                        server_frame(0, b"two")]) + server_frame(8, b"\x13\x87"),
        "1000 messages": b"".join(server_frame(TEXT, b"%d" % number) for number in range(1000)) + server_frame(8),
        "a masked frame": frame(TEXT, b"masked"),
        "a text that is no UTF-8": server_frame(TEXT, b"\xff"),
        "an unknown opcode": server_frame(TEXT, b"good") + server_frame(5),
        "a reserved bit": server_frame(TEXT, b"x", reserved=4),
        "a long ping": server_frame(PING, b"p" * 126),
        "a bad close code": server_frame(8, b"\x00\x01"),
        "half a frame": server_frame(TEXT, b"cut off")[:-2],
        "nothing": b"",
    }

    def serve(connection):
        if first_words == "with its 101":
            answer_by_hand(connection, said)
        else:
            answer_by_hand(connection)
            connection.sendall(said)
        # Each answers what it gets with a close of its own, but where there is nothing to answer.
        frames = []
        while name not in ("half a frame", "nothing") and (not frames or frames[-1][0] != CLOSE):
            lead = read_exactly(connection, 2)
            size = lead[1] & 0x7F
            read_exactly(connection, 4 + size)  # masked with a key of its own each time
            frames.append((lead[0] & 0x0F, size))
        connection.shutdown(socket.SHUT_WR)
        heard.append((frames, len(read_to_end(connection)[0])))

    def listen(way):
        messages = []
        namespace, host, port = way
        with open_websocket(namespace, "/", host, port) as client:
            try:
                while True:
                    messages.append(client.recv(20))
            except ConnectionClosed as end:
                return messages, str(end), end.rcvd, end.sent

    with App(container, serve):
        for name, said in words.items():
            heard = []
            expected, got = (listen(way) for way in ways)
            assert got == expected, name
            wait_until(lambda: len(heard) == 2, "the app has heard both")
            assert heard[0] == heard[1], name


def test_bytes_go_across_untouched_whatever_they_are(container, ways):
    """After the 101 it is a relay: 1,000 frames and a close in one go, then anything at all, and half-closes."""
    _, (namespace, host, port) = ways
    stream = b"".join(frame(TEXT, b"message %d" % number) for number in range(1000)) + close()
    stream += b"".join(in_parts(BINARY, bytes(range(256)) * 9000, 999)) + b"\r\n\r\nGET / HTTP/1.1\r\n\r\n\0" * 100
    answer = stream[::-1]

    def serve(connection):
        assert answer_by_hand(connection) == b""
        received, error = read_to_end(connection)
        assert (received == stream, error) == (True, None), f"{len(received)} of {len(stream)} bytes, {error}"
        # The client has finished; there is no hurry on the way back.
        connection.sendall(answer)

    with App(container, serve):
        with connect(namespace, host, port) as client:
            handshake(client, False)
            client.sendall(stream)
            client.shutdown(socket.SHUT_WR)
            received, error = read_to_end(client)
            assert (received == answer, error) == (True, None)


def test_a_server_that_has_finished_still_hears_the_client(container, ways):
    _, (namespace, host, port) = ways
    heard = []

    def serve(connection):
        answer_by_hand(connection, b"that is all")
        connection.shutdown(socket.SHUT_WR)
        heard.append(read_to_end(connection))

    with App(container, serve) as app:
        with connect(namespace, host, port) as client:
            handshake(client, False)
            assert read_to_end(client) == (b"that is all", None)
            client.sendall(b"and another thing")
            client.shutdown(socket.SHUT_WR)
            wait_until(lambda: heard, "the app has heard it")
        assert heard == [(b"and another thing", None)]


@pytest.mark.parametrize("who", ["client", "app"])
def test_a_reset_is_carried_across(container, ways, who):
    _, (namespace, host, port) = ways
    ends = []

    def serve(connection):
        answer_by_hand(connection)
        connection.recv(1)
        if who == "app":
            reset(connection)
        else:
            ends.append(type(read_to_end(connection)[1]))

    with App(container, serve):
        client = connect(namespace, host, port)
        handshake(client, False)
        client.sendall(b"x")
        if who == "app":
            ends.append(type(read_to_end(client)[1]))
            client.close()
        else:
            reset(client)
        wait_until(lambda: ends, "the other one knows")
    assert ends == [ConnectionResetError]
