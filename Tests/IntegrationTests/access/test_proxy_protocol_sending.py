"""PROXY headers to the app, with both ends in the test's hand."""

import hashlib
import socket
import threading
import time

import pytest

from support.actors.proxy_protocol import (
    CHECKSUM, DESTINATION, DESTINATION_V6, FORMS, PROXY, SOURCE, SOURCE_V6, TLS, UNIQUE_ID, binary, field, raw, read_header)
from support.apps import App, AppInHand, echo
from support.http import Client, get, ok
from support.namespaces import Cable
from support.sockets import connect, digest_to_end, read_exactly, read_to_end, reset
from support.waiting import wait_until


@pytest.mark.parametrize("form, version", [("v1", 1), ("v2", 2)])
@pytest.mark.parametrize("moment", ["accept", "first_byte"])
@pytest.mark.parametrize("server", [Cable.CONTAINER, Cable.CONTAINER_V6])
def test_app_hears_of_the_client(container, outside, start, form, version, moment, server):
    start(f"send: {form}", connect=moment)
    ids = set()
    with AppInHand(container) as in_hand:
        for _ in range(3):
            with connect(outside, server, 8080) as client:
                host, port = client.getsockname()[:2]
                if moment == "first_byte":
                    client.sendall(b"hello")
                app = in_hand.next()
                # In one piece, where there was something to go with it.
                if moment == "first_byte":
                    assert app.recv(1000, socket.MSG_PEEK).endswith(b"hello")
                header = read_header(app)
                assert (header.version, header.source, header.destination, header.source_port, header.port) == (
                    version, host, server, port, 8080)
                if moment == "accept":
                    # Nothing else, before the client has spoken.
                    app.setblocking(False)
                    with pytest.raises(BlockingIOError):
                        app.recv(1)
                    app.settimeout(10)
                    client.sendall(b"hello")
                assert read_exactly(app, 5) == b"hello"
                app.sendall(b"answer")
                assert read_exactly(client, 6) == b"answer"
                client.shutdown(socket.SHUT_WR)
                assert app.recv(1) == b""
                ids.add(header.fields.get(UNIQUE_ID))
    assert len(ids) == 3 if version == 2 else ids == {None}


def test_app_that_speaks_first_hears_too(container, outside, start):
    start("send: v1")
    heard = []

    def greet(connection):
        connection.sendall(b"220 ready\r\n")
        heard.append(read_header(connection))
        echo(connection)

    with App(container, greet), connect(outside, Cable.CONTAINER, 8080) as client:
        assert read_exactly(client, 11) == b"220 ready\r\n"
        client.sendall(b"hello")
        assert read_exactly(client, 5) == b"hello"
        assert heard[0].source == Cable.OUTSIDE


@pytest.mark.parametrize("form", FORMS)
def test_app_on_a_unix_socket_hears(container, outside, start, tmp_path, form):
    path = str(tmp_path / "app.sock")
    start(f"send: {form}", upstream=f"unix:{path}")
    with AppInHand(container, address=path) as in_hand, connect(outside, Cable.CONTAINER, 8080) as client:
        client.sendall(b"hello")
        app = in_hand.next()
        assert read_header(app).source == Cable.OUTSIDE
        assert read_exactly(app, 5) == b"hello"


def test_app_that_comes_late_hears_once(container, outside, start):
    program = start("send: v2")
    with connect(outside, Cable.CONTAINER, 8080) as client:
        client.sendall(b"hello")
        client.shutdown(socket.SHUT_WR)
        program.wait_for_message("is not listening")
        with AppInHand(container) as in_hand:
            app = in_hand.next()
            assert read_header(app).source == Cable.OUTSIDE
            assert read_to_end(app) == (b"hello", None)


def test_header_before_much(container, outside, start):
    """To an app that is slow to read, so that it waits together with the header."""
    start("send: v2")
    data = bytes(range(256)) * (1 << 17)
    results = []

    def serve(connection):
        time.sleep(0.2)  # the app is slow to read
        results.append((read_header(connection).source, digest_to_end(connection)))
        connection.sendall(data)

    with App(container, serve, receive_buffer=4096), connect(outside, Cable.CONTAINER, 8080) as client:
        def send():
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)

        sending = threading.Thread(target=send, daemon=True)
        sending.start()
        expected = (len(data), hashlib.sha256(data).hexdigest())
        assert digest_to_end(client) == expected
        sending.join(10)
        assert results == [(Cable.OUTSIDE, expected)]


def test_app_that_resets_at_once(container, outside, start):
    program = start("send: v2")
    with App(container, reset):
        for count in range(1, 21):
            # So soon that whoever connects may hear of it first.
            try:
                with connect(outside, Cable.CONTAINER, 8080) as client:
                    assert isinstance(read_to_end(client)[1], ConnectionResetError)
            except ConnectionResetError:
                pass
            # The reset may come before the connection was seen to be made.
            assert program.wait_for_closed(count)["end"].removeprefix("cannot connect to the ") in (
                "app: Connection reset by peer", "app: Broken pipe")


def test_each_request_of_http_has_its_clients_header(container, outside, start):
    """A connection to the app that was one client's is never used for another."""
    program = start("send: v2", protocol="http", pool="{ idle: 8 }")
    seen = []

    def serve(connection):
        seen.append(read_header(connection))
        file = connection.makefile("rb")
        while file.readline() not in (b"\r\n", b""):
            pass
        connection.sendall(ok(b"hello"))
        # It would keep the connection.
        connection.recv(1)

    with App(container, serve) as app:
        clients = [Client(outside) for _ in range(3)]
        for _ in range(2):
            for client in clients:
                assert client.send(get()).response().body == b"hello"
        wait_until(lambda: app.connections == 0, "all connections to the app are closed")
        ports = [header.source_port for header in seen]
        assert ports[:3] == ports[3:] and len(set(ports)) == 3
        assert [header.fields[UNIQUE_ID] for header in seen[:3]] == [header.fields[UNIQUE_ID] for header in seen[3:]]
        for client in clients:
            client.close()
    assert not [line for line in program.requests() if line.get("reused")]


@pytest.mark.parametrize("received", FORMS)
@pytest.mark.parametrize("sent, version", [("v1", 1), ("v2", 2)])
def test_what_was_received_is_sent_on(container, outside, accepting, received, sent, version):
    accepting(f", send: {sent}")
    with AppInHand(container) as in_hand:
        for source, destination in ((SOURCE, DESTINATION), (SOURCE_V6, DESTINATION_V6)):
            with connect(outside, Cable.CONTAINER, 8080) as client:
                client.sendall(FORMS[received](source, destination) + b"hello")
                app = in_hand.next()
                header = read_header(app)
                assert (header.version, header.source, header.destination, header.source_port, header.port) == (
                    version, source, destination, 1000, 443)
                assert read_exactly(app, 5) == b"hello"


def test_fields_are_sent_on(container, outside, accepting):
    accepting(", send: v2")
    fields = {
        UNIQUE_ID: b"our own name",
        TLS: b"\7\0\0\0\0" + field(0x21, b"TLSv1.3") + field(0x22, b"client") + field(0x23, b"TLS_AES_128_GCM_SHA256")
        + field(0x24, b"SHA256") + field(0x25, b"RSA2048")}
    sent = field(0x04, b"") + b"".join(field(*pair) for pair in fields.items()) + field(0xEA, b"not for others")
    with AppInHand(container) as in_hand, connect(outside, Cable.CONTAINER, 8080) as client:
        client.sendall(binary(SOURCE, DESTINATION, fields=sent))
        received = read_header(in_hand.next()).fields
        assert len(received.pop(CHECKSUM)) == 4 and received == fields


def test_a_unix_client_is_sent_on(container, outside, accepting):
    accepting(", send: v2")
    unix = raw(PROXY, 0x31, b"/run/client".ljust(108, b"\0") + b"\0proxy".ljust(108, b"\0"))
    with AppInHand(container) as in_hand, connect(outside, Cable.CONTAINER, 8080) as client:
        client.sendall(unix)
        header = read_header(in_hand.next())
        assert (header.source, header.destination) == ("/run/client", "\0proxy")


def test_options_instead_of_a_file(container, outside, loopbridge):
    loopbridge(
        "--accept-proxy-protocol", "true", "--proxy-protocol-from", Cable.OUTSIDE, "--send-proxy-protocol", "v1",
        "8080:8000")
    with AppInHand(container) as in_hand, connect(outside, Cable.CONTAINER, 8080) as client:
        client.sendall(binary(SOURCE, DESTINATION))
        assert read_header(in_hand.next()).source == SOURCE
