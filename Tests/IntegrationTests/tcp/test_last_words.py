"""A reset does not overtake what was said before it: what a sender's kernel had acknowledged arrives, to the byte, and then the
reset. A client that is connected directly gets as much."""

import hashlib
import select
import signal
import socket
import ssl
import subprocess
import time

import pytest

from support.apps import AppInHand
from support.configuration import ConfigurationFile, route
from support.http import HTTPApp, get
from support.namespaces import Cable
from support.sockets import connect, read_exactly, read_to_end, reset, unacknowledged
from support.tls import Authority, secure
from support.waiting import stays_true, wait_until

#: Not too much for the buffers between a sender and a receiver that does not read, and more than our send queue keeps ready.
SIZE = 4 << 20
DATA = b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(SIZE // 32))


@pytest.fixture
def bridge(loopbridge, tmp_path):
    def start(*arguments, listen="8080", upstream="localhost:8000", **settings):
        file = ConfigurationFile(tmp_path, route(listen, upstream, **settings), workers=1)
        return loopbridge("--config", file.path, *arguments)
    return start


def say(source, sink, data=DATA, is_acknowledged=True):
    """Sends, and waits until the other side's kernel has it all; returns what the receiver had to take for that, since there is
    no room for more on the way."""
    source.setblocking(False)
    sink.settimeout(10)
    sent, taken, stuck_since = 0, b"", time.monotonic()
    while sent < len(data) or is_acknowledged and unacknowledged(source):
        try:
            sent += source.send(data[sent:sent + (256 << 10)]) if sent < len(data) else 0
        except BlockingIOError:
            pass
        else:
            if sent < len(data):
                stuck_since = time.monotonic()
                continue
        if time.monotonic() - stuck_since > 0.3:
            taken += sink.recv(64 << 10)
            stuck_since = time.monotonic() - 0.25
        # Until there is room, or to ask again for what is acknowledged: of that, nobody tells.
        select.select([], [source] if sent < len(data) else [], [], 0.001)
    return taken


def say_and_reset(source, sink, data=DATA):
    taken = say(source, sink, data)
    reset(source)
    return taken


def assert_all_then_reset(receiver, taken, expected=DATA):
    data, error = read_to_end(receiver)
    data = taken + data
    assert (len(data), data == expected) == (len(expected), True)
    assert isinstance(error, (ConnectionResetError, BrokenPipeError)), error


@pytest.fixture(params=["app", "client"])
def sender(request):
    return request.param


def ends(sender, client, app):
    return (app, client) if sender == "app" else (client, app)


def test_all_of_it_arrives(container, outside, bridge, sender):
    bridge()
    with AppInHand(container) as in_hand:
        for _ in range(5):
            client, app = connect(outside, Cable.CONTAINER, 8080), in_hand.next()
            source, sink = ends(sender, client, app)
            assert_all_then_reset(sink, say_and_reset(source, sink))


def test_a_receiver_that_takes_its_time(container, outside, bridge, sender):
    """It gets nothing until long after the reset."""
    program = bridge()
    with AppInHand(container) as in_hand:
        client, app = connect(outside, Cable.CONTAINER, 8080), in_hand.next()
        source, sink = ends(sender, client, app)
        taken = say_and_reset(source, sink)
        stays_true(lambda: not program.closed(), "it waits", 0.5)
        assert_all_then_reset(sink, taken)
        end = program.wait_for_closed()
        assert end["end"] == f"{sender}: Connection reset by peer"
        assert end["to_client" if sender == "app" else "to_app"] == SIZE


@pytest.mark.parametrize("closer", ["sender", "receiver"])
def test_behind_a_half_close(container, outside, bridge, sender, closer):
    bridge()
    with AppInHand(container) as in_hand:
        client, app = connect(outside, Cable.CONTAINER, 8080), in_hand.next()
        source, sink = ends(sender, client, app)
        source.sendall(b"a")
        assert read_exactly(sink, 1) == b"a"
        if closer == "receiver":
            sink.shutdown(socket.SHUT_WR)
            assert source.recv(1) == b""
            assert_all_then_reset(sink, say_and_reset(source, sink))
        else:
            taken = say(source, sink)
            source.shutdown(socket.SHUT_WR)
            wait_until(lambda: not unacknowledged(source), "the end is acknowledged, too")
            reset(source)
            # Its end came first, and may be what the receiver gets to see.
            assert taken + read_exactly(sink, SIZE - len(taken)) == DATA


def test_both_have_said_something(container, outside, bridge):
    """Bytes for the side that has reset are dropped; they do not keep that side's last words from arriving."""
    bridge()
    with AppInHand(container) as in_hand:
        client, app = connect(outside, Cable.CONTAINER, 8080), in_hand.next()
        client.setblocking(False)
        client.send(DATA)
        assert_all_then_reset(client, say_and_reset(app, client))


def test_an_app_on_a_unix_socket(container, outside, bridge, tmp_path):
    """It knows no reset, but the client sees one where the app has left something unread."""
    path = str(tmp_path / "app.sock")
    program = bridge(upstream=f"unix:{path}")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    client = connect(outside, Cable.CONTAINER, 8080)
    app, _ = listener.accept()
    client.sendall(b"unread")
    taken = say(app, client, is_acknowledged=False)
    app.close()
    assert_all_then_reset(client, taken)
    program.wait_for_closed()
    listener.close()


def test_over_tls(container, outside, bridge, tmp_path, sender):
    authority = Authority(tmp_path)
    pair = authority.issue("server", "DNS:example.test")
    bridge(listen="8443", tls=f"{{ certificate: {pair.certificate}, key: {pair.key} }}")
    with AppInHand(container) as in_hand:
        raw = connect(outside, Cable.CONTAINER, 8443)
        client = secure(raw, authority)
        app = in_hand.next()
        if sender == "app":
            taken = say_and_reset(app, client)
            data, error = read_to_end(client)
            data = taken + data
            assert (len(data), data == DATA) == (SIZE, True)
            # No close_notify, and a reset, which OpenSSL tells as an end in the middle of what it had begun to read.
            assert isinstance(error, (ConnectionResetError, ssl.SSLEOFError)), error
        else:
            client.sendall(DATA)
            wait_until(lambda: not unacknowledged(client), "all of it is acknowledged")
            reset(client)
            assert_all_then_reset(app, b"")


def test_behind_an_upgrade(container, outside, bridge, sender):
    bridge(protocol="http")
    with HTTPApp(container) as in_hand:
        client = connect(outside, Cable.CONTAINER, 8080)
        client.sendall(get("/", b"Connection: Upgrade\r\nUpgrade: websocket\r\n"))
        request = in_hand.next_request()
        request.connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        while not client.recv(1000).endswith(b"\r\n\r\n"):
            pass
        app = request.connection.dup()
        app.settimeout(10)
        source, sink = ends(sender, client, app)
        taken = say_and_reset(source, sink)
        if sender == "app":
            # The last one that has it open.
            request.reader.close()
            reset(request.connection)
        assert_all_then_reset(sink, taken)
        request.done(close=True)


@pytest.mark.parametrize("part", [DATA, DATA[:100]], ids=["4MiB", "100B"])
@pytest.mark.parametrize("framing, is_shown", [
    (b"Content-Length: 9000000\r\n", True), (b"Transfer-Encoding: chunked\r\n", True), (b"Connection: close\r\n", False)])
def test_an_answer(container, outside, bridge, framing, is_shown, part):
    """A response whose framing shows that it is cut off ends with an end behind all of its bytes; any other ends with a reset."""
    bridge(protocol="http")
    with HTTPApp(container) as in_hand:
        client = connect(outside, Cable.CONTAINER, 8080)
        client.sendall(get(fields=b"Connection: close\r\n"))
        request = in_hand.next_request()
        request.connection.sendall(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n")
        body = b"%x\r\n" % 9_000_000 + part if b"chunked" in framing else part
        request.reader.close()
        taken = say_and_reset(request.connection, client, body)
        request.done(close=True)
        data, error = read_to_end(client)
        got = (taken + data).partition(b"\r\n\r\n")[2]
        assert (len(got), got == body) == (len(body), True)
        assert (error is None) if is_shown else isinstance(error, ConnectionResetError), error


@pytest.mark.parametrize("protocol", ["tcp", "http"])
def test_a_reset_behind_an_end(container, outside, bridge, protocol):
    """An app that ends its answer and then resets has said all of it, also where both are found together."""
    program = bridge(protocol=protocol)
    answer = b"HTTP/1.0 200 OK\r\n\r\n" + DATA[:100_000]
    with AppInHand(container) as in_hand:
        client = connect(outside, Cable.CONTAINER, 8080)
        client.sendall(get(fields=b"Connection: close\r\n"))
        app = in_hand.next()
        app.recv(1000)
        program.signal(signal.SIGSTOP)
        app.sendall(answer)
        app.shutdown(socket.SHUT_WR)
        reset(app)
        program.signal(signal.SIGCONT)
        data, error = read_to_end(client)
        assert data.endswith(DATA[:100_000]) and error is None, (len(data), error)


def test_a_request(container, outside, bridge):
    """A client that resets behind its request: the app gets all of it, and then the reset."""
    bridge(protocol="http")
    with AppInHand(container) as in_hand:
        for size in (0, 10, SIZE):
            client = connect(outside, Cable.CONTAINER, 8080)
            client.sendall(get("/", b"Content-Length: %d\r\n" % size, "POST"))
            app = in_hand.next()
            taken = say_and_reset(client, app, DATA[:size])
            data, error = read_to_end(app)
            body = (taken + data).partition(b"\r\n\r\n")[2]
            assert (len(body), body == DATA[:size]) == (size, True)
            assert isinstance(error, ConnectionResetError), error


def test_nobody_who_takes_nothing_is_waited_for(container, outside, bridge):
    program = bridge(half_close_timeout="1s")
    with AppInHand(container) as in_hand:
        client, app = connect(outside, Cable.CONTAINER, 8080, receive_buffer=4096), in_hand.next()
        say_and_reset(app, client, DATA[:100 << 10])
        started = time.monotonic()
        assert program.wait_for_closed()["end"] == "app: Connection reset by peer"
        assert 0.8 < time.monotonic() - started < 6
        client.close()


def test_a_drain_ends_it(container, outside, bridge):
    program = bridge("--drain", "500ms", half_close_timeout="1h")
    with AppInHand(container) as in_hand:
        client, app = connect(outside, Cable.CONTAINER, 8080, receive_buffer=4096), in_hand.next()
        say_and_reset(app, client, DATA[:100 << 10])
        stays_true(lambda: not program.closed(), "it waits", 0.3)
        assert program.terminate(10) == 0
        client.close()


def test_a_slow_reader_is_not_idle(container, outside, bridge):
    """Nothing goes through us for longer than the timeout, for our send queue has it all."""
    bridge(idle_timeout="2s")
    with AppInHand(container) as in_hand:
        client, app = connect(outside, Cable.CONTAINER, 8080, receive_buffer=64 << 10), in_hand.next()
        app.sendall(DATA[:1 << 20])
        data = b""
        for _ in range(64):
            data += read_exactly(client, 16 << 10)
            time.sleep(0.05)  # a slow reader: 3.2 s in all, which is more than the timeout
        assert data == DATA[:1 << 20]
        client.sendall(b"still here")
        assert read_exactly(app, 10) == b"still here"
        client.close()


@pytest.mark.parametrize("framing", [b"Content-Length: 1000\r\n", b"Transfer-Encoding: chunked\r\n", b""])
def test_a_network_that_loses_resets(container, outside, bridge, framing):
    """A reset is sent once. An answer that shows by itself that it is cut off does without: an end is sent until it arrives."""
    bridge(protocol="http")
    dropping = outside.command("iptables", "-A", "INPUT", "-p", "tcp", "--tcp-flags", "RST", "RST", "-j", "DROP")
    if subprocess.run(dropping, capture_output=True).returncode != 0:
        pytest.skip("takes iptables")
    with HTTPApp(container) as in_hand:
        client = connect(outside, Cable.CONTAINER, 8080, timeout=5)
        client.sendall(get())
        request = in_hand.next_request()
        part = b"4\r\npart\r\n" if b"chunked" in framing else b"part"
        request.connection.sendall(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n" + part)
        while b"part" not in client.recv(1000, socket.MSG_PEEK):
            pass
        reset(request.connection)
        request.done(close=True)
        data, error = read_to_end(client)
        assert b"part" in data and not data.endswith(b"0\r\n\r\n")
        assert error is None
