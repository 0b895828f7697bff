"""PROXY headers from proxies that are trusted, with both ends in the test's hand."""

import signal
import socket
import threading
import time

import pytest

from support.actors.proxy_protocol import (
    DESTINATION, DESTINATION_V6, FORMS, LOCAL, PROXY, SIGNATURE, SOURCE, SOURCE_V6, TLS, TRUSTED, UNIQUE_ID, address, addresses,
    binary, field, raw, text)
from support.apps import App, AppInHand, echo, greets
from support.configuration import ConfigurationFile, route
from support.http import Client, HTTPApp, get, ok
from support.namespaces import Cable
from support.sockets import connect, read_exactly, read_to_end, reset
from support.waiting import wait_until

STRANGER = "172.17.0.9"


@pytest.mark.parametrize("moment", ["accept", "first_byte"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("source, destination, named", [
    (SOURCE, DESTINATION, SOURCE), (SOURCE_V6, DESTINATION_V6, SOURCE_V6), ("::ffff:192.0.2.1", "::1", SOURCE)])
def test_client_is_whom_the_header_names(
        container, outside, accepting, form, source, destination, named, moment):
    program = accepting(connect=moment)
    header = FORMS[form](source, destination)
    with App(container, echo):
        for count, pieces in enumerate(([header, b"hello"], [header + b"hello"], [header + b"he", b"llo"]), 1):
            with connect(outside, Cable.CONTAINER, 8080) as client:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for piece in pieces:
                    client.sendall(piece)
                client.shutdown(socket.SHUT_WR)
                assert read_to_end(client) == (b"hello", None)
            closed = program.wait_for_closed(count)
            assert (closed["client"], closed["end"], closed["to_app"]) == (address(named), "finished", 5)


def test_over_ipv6(container, outside, accepting):
    program = accepting()
    with App(container, echo), connect(outside, Cable.CONTAINER_V6, 8080) as client:
        client.sendall(text(SOURCE, DESTINATION) + b"hello")
        assert read_exactly(client, 5) == b"hello"
    assert program.wait_for_closed()["client"] == address(SOURCE)


@pytest.mark.parametrize("moment", ["accept", "first_byte"])
@pytest.mark.parametrize("header", [
    text(SOURCE, DESTINATION), binary(SOURCE_V6, DESTINATION_V6, fields=field(0xEA, b"x" * 200))], ids=["v1", "v2"])
def test_byte_by_byte(container, outside, accepting, header, moment):
    program = accepting(connect=moment)
    with App(container, echo) as app, connect(outside, Cable.CONTAINER, 8080) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number in header:
            assert app.accepted == 0
            client.sendall(bytes([number]))
            # So that each arrives alone.
            time.sleep(0.001)
        client.sendall(b"hello")
        assert read_exactly(client, 5) == b"hello"
    assert program.wait_for_closed()["client"] in (address(SOURCE), address(SOURCE_V6))


def test_a_header_as_long_as_may_be(container, outside, accepting):
    program = accepting()
    header = binary(SOURCE, DESTINATION, fields=field(0xEA, b"x" * (16384 - 16 - 12 - 3)))
    with App(container, echo):
        for rest in (b"h", b"hello" * 20_000):
            with connect(outside, Cable.CONTAINER, 8080) as client:
                threading.Thread(target=client.sendall, args=(header + rest,), daemon=True).start()
                assert read_exactly(client, len(rest)) == rest
    program.wait_for_closed(2)
    assert {line["client"] for line in program.closed()} == {address(SOURCE)}


def test_app_that_speaks_first(container, outside, accepting):
    accepting()

    def greet(connection):
        connection.sendall(b"220 ready\r\n")
        echo(connection)

    with App(container, greet), connect(outside, Cable.CONTAINER, 8080) as client:
        client.sendall(binary(SOURCE, DESTINATION))
        assert read_exactly(client, 11) == b"220 ready\r\n"


@pytest.mark.parametrize("header", [
    b"PROXY UNKNOWN\r\n", b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", raw(LOCAL, 0x00),
    raw(LOCAL, 0x11, addresses(SOURCE, DESTINATION)), raw(PROXY, 0x00, b"whatever")],
    ids=["UNKNOWN", "UNKNOWN with more", "LOCAL", "LOCAL with addresses", "UNSPEC"])
def test_header_that_names_nobody(container, outside, accepting, header):
    program = accepting()
    with App(container, echo), connect(outside, Cable.CONTAINER, 8080) as client:
        name = address(*client.getsockname())
        client.sendall(header + b"hello")
        assert read_exactly(client, 5) == b"hello"
    assert program.wait_for_closed()["client"] == name


MALFORMED = {
    "HTTP": b"GET / HTTP/1.1\r\n\r\n",
    "TLS": b"\x16\x03\x01\x00\xf4\x01",
    "small letters": b"proxy TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
    "line feed alone": b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n",
    "carriage return alone": b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\rx",
    "another protocol": b"PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n",
    "two spaces": b"PROXY TCP4 1.2.3.4  5.6.7.8 1 2\r\n",
    "a field too few": b"PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n",
    "another family": b"PROXY TCP4 ::1 ::1 1 2\r\n",
    "leading zero": b"PROXY TCP4 1.2.3.04 5.6.7.8 1 2\r\n",
    "port too high": b"PROXY TCP4 1.2.3.4 5.6.7.8 65536 2\r\n",
    "port with a leading zero": b"PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n",
    "108 bytes": b"PROXY UNKNOWN " + b"x" * 92 + b"\r\n",
    "signature with another end": SIGNATURE[:-1] + b"\r",
    "version 1 in binary": raw(0x11, 0x11, addresses(SOURCE, DESTINATION)),
    "version 3": raw(0x31, 0x11, addresses(SOURCE, DESTINATION)),
    "unknown command": raw(0x22, 0x11, addresses(SOURCE, DESTINATION)),
    "unknown family": raw(PROXY, 0x41, bytes(12)),
    "unknown transport": raw(PROXY, 0x13, bytes(12)),
    "datagram": raw(PROXY, 0x12, addresses(SOURCE, DESTINATION)),
    "addresses cut off": raw(PROXY, 0x21, addresses(SOURCE, DESTINATION)),
    "too long": raw(PROXY, 0x11, addresses(SOURCE, DESTINATION), length=0xFFFF),
    "field cut off": binary(SOURCE, DESTINATION, fields=field(0x04, b"x", length=2)),
    "wrong checksum": binary(SOURCE, DESTINATION, fields=field(0x03, b"1234")),
    "id too long": binary(SOURCE, DESTINATION, fields=field(UNIQUE_ID, bytes(129))),
    "TLS cut off": binary(SOURCE, DESTINATION, fields=field(TLS, b"\1\0\0\0\0\x21\0\7TLSv1")),
}


@pytest.mark.parametrize("protocol", ["tcp", "http"])
def test_malformed_headers_end_the_connection(container, outside, accepting, protocol):
    program = accepting(protocol=protocol, arguments=("--workers", "1"))
    with App(container, echo) as app:
        for count, (name, header) in enumerate(MALFORMED.items(), 1):
            with connect(outside, Cable.CONTAINER, 8080) as client:
                peer = address(*client.getsockname())
                client.sendall(header + b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                data, error = read_to_end(client)
                assert data == b"" and isinstance(error, ConnectionResetError), name
            closed = program.wait_for_closed(count)
            assert closed["client"] == peer and closed["end"].startswith("invalid PROXY header: "), name
        assert app.accepted == 0
    # However many there are.
    warnings = program.messages("no valid PROXY header")
    assert 0 < len(warnings) < 10
    for warning in warnings:
        assert (warning["level"], warning["route"]) == ("warning", "web")
        assert warning["proxy"].startswith(Cable.OUTSIDE + ":") and warning["reason"].startswith(("it ", "its ", "a ", "an "))


@pytest.mark.parametrize("header", [b"", b"PROXY TCP4 1.", SIGNATURE, raw(PROXY, 0x11, length=12)])
def test_header_must_come_in_time(container, outside, accepting, header):
    program = accepting(", header_timeout: 300ms")
    with App(container, echo) as app, connect(outside, Cable.CONTAINER, 8080) as client:
        begin = time.monotonic()
        client.sendall(header)
        assert isinstance(read_to_end(client)[1], ConnectionResetError)
        assert 0.25 < time.monotonic() - begin < 5
        assert program.wait_for_closed()["end"] == "PROXY header timeout"
        assert app.accepted == 0
    warning, = program.messages("no valid PROXY header")
    assert warning["reason"] == "it did not come in time"


def test_header_in_time_has_nothing_to_do_with_what_follows(container, outside, accepting):
    accepting(", header_timeout: 300ms")
    with App(container, echo), connect(outside, Cable.CONTAINER, 8080) as client:
        client.sendall(text(SOURCE, DESTINATION))
        time.sleep(0.6)  # longer than the timeout
        client.sendall(b"hello")
        assert read_exactly(client, 5) == b"hello"


@pytest.mark.parametrize("header, end", [
    (b"PROXY TCP4 1.", "invalid PROXY header: it is cut off"), (SIGNATURE, "invalid PROXY header: it is cut off"),
    # As a balancer looks whether somebody listens.
    (b"", "finished")])
def test_proxy_that_ends_before_its_header_does(container, outside, accepting, header, end):
    program = accepting()
    with App(container, echo) as app:
        with connect(outside, Cable.CONTAINER, 8080) as client:
            client.sendall(header)
            client.shutdown(socket.SHUT_WR)
            assert read_to_end(client)[0] == b""
        assert program.wait_for_closed()["end"] == end
        with connect(outside, Cable.CONTAINER, 8080) as client:
            client.sendall(header)
            reset(client)
        assert program.wait_for_closed(2)["end"].startswith(("client: ", "invalid"))
        assert app.accepted == 0
    assert bool(program.messages("no valid PROXY header")) == bool(header)


@pytest.mark.parametrize("header", [b"", text(SOURCE, DESTINATION), binary(SOURCE, DESTINATION)], ids=["none", "v1", "v2"])
def test_strangers_are_ordinary_clients(container, outside, accepting, header):
    """Their bytes are for the app, whatever they look like."""
    outside.ip("addr", "add", STRANGER + "/24", "dev", "eth0")
    program = accepting()
    with App(container, echo), connect(outside, Cable.CONTAINER, 8080, source=STRANGER) as client:
        client.sendall(header + b"hello")
        assert read_exactly(client, len(header) + 5) == header + b"hello"
    assert program.wait_for_closed()["client"].startswith(STRANGER + ":")


@pytest.mark.parametrize("protocol", ["tcp", "http"])
@pytest.mark.parametrize("form", FORMS)
def test_who_is_named_may_come_in_or_not(container, outside, accepting, form, protocol):
    """And not the proxy, unless it speaks for itself."""
    program = accepting(allow="192.0.2.0/24", deny="192.0.2.9", protocol=protocol, arguments=("--workers", "1"))
    request = get() if protocol == "http" else b"hello"
    with App(container, greets(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")) as app:
        refused = [FORMS[form]("192.0.2.9", DESTINATION), FORMS[form]("203.0.113.1", DESTINATION), b"PROXY UNKNOWN\r\n"]
        for count, header in enumerate(refused, 1):
            with connect(outside, Cable.CONTAINER, 8080) as client:
                client.sendall(header + request)
                assert isinstance(read_to_end(client)[1], ConnectionResetError)
            assert program.wait_for_closed(count)["end"] == "its address is not allowed"
        assert app.accepted == 0
        with connect(outside, Cable.CONTAINER, 8080) as client:
            client.sendall(FORMS[form](SOURCE, DESTINATION) + request)
            assert client.recv(1000).startswith(b"HTTP/1.1 204")
    assert [line["client"] for line in program.closed()[:2]] == ["192.0.2.9:1000", "203.0.113.1:1000"]


def test_source_for_each_client(container, outside, accepting):
    program = accepting(upstream="127.0.0.1:8000", source="per_client")
    with AppInHand(container) as app, connect(outside, Cable.CONTAINER, 8080) as client:
        client.sendall(text("10.1.2.3", DESTINATION))
        assert app.next().getpeername()[0] == "127.1.2.3"
    assert program.is_running


@pytest.mark.parametrize("form", FORMS)
def test_http_app_hears_of_the_client(container, outside, accepting, form):
    program = accepting(protocol="http")
    with HTTPApp(container) as app:
        client = Client(outside).send(
            FORMS[form](SOURCE_V6, DESTINATION_V6) + get("/1", b"X-Forwarded-For: 1.1.1.1\r\n") + get("/2"))
        for _ in range(2):
            request = app.next_request()
            assert request[b"x-forwarded-for"] == SOURCE_V6.encode()
            assert request[b"forwarded"].startswith(f'for="[{SOURCE_V6}]"'.encode())
            assert request[b"x-forwarded-proto"] == b"http"
            request.answer(ok(b"hello"))
            assert client.response().body == b"hello"
        client.close()
    program.wait_for_request(2)
    assert {line["client"] for line in program.requests()} == {address(SOURCE_V6)}


def test_http_app_hears_of_the_clients_tls(container, outside, accepting):
    accepting(protocol="http")
    tls = field(TLS, b"\1\0\0\0\0" + field(0x21, b"TLSv1.3"))
    with HTTPApp(container) as app:
        client = Client(outside).send(binary(SOURCE, DESTINATION, fields=tls) + get())
        request = app.next_request()
        assert request[b"x-forwarded-proto"] == b"https"
        assert b"proto=https" in request[b"forwarded"]
        request.answer(ok())
        assert client.response().status == 200
        client.close()


def test_end_of_the_server(container, outside, accepting):
    """A proxy that has sent nothing is let go at once, and one that has named its client is served to the end."""
    program = accepting(", header_timeout: 20s")
    with AppInHand(container) as in_hand:
        with connect(outside, Cable.CONTAINER, 8080) as silent, connect(outside, Cable.CONTAINER, 8080) as served:
            served.sendall(text(SOURCE, DESTINATION) + b"hello")
            app = in_hand.next()
            assert read_exactly(app, 5) == b"hello"
            program.signal(signal.SIGTERM)
            assert isinstance(read_to_end(silent)[1], ConnectionResetError)
            app.sendall(b"bye")
            app.close()
            assert read_to_end(served) == (b"bye", None)
        assert program.wait() == 0


def test_header_that_has_begun_when_the_server_ends(container, outside, accepting):
    """It may be whose request is on its way."""
    program = accepting(", header_timeout: 20s")
    with AppInHand(container) as in_hand, connect(outside, Cable.CONTAINER, 8080) as client:
        client.sendall(b"PROXY TCP4 192.0.2.1 ")
        # Everything before that has been looked at when this one is served.
        with connect(outside, Cable.CONTAINER, 8080) as other:
            other.sendall(text(SOURCE, DESTINATION))
            in_hand.next().close()
        program.wait_for_closed()
        program.signal(signal.SIGTERM)
        program.wait_for_message("SIGTERM")
        client.sendall(b"198.51.100.2 1000 443\r\nhello")
        app = in_hand.next()
        assert read_exactly(app, 5) == b"hello"
        app.sendall(b"bye")
        app.close()
        assert read_to_end(client) == (b"bye", None)
    assert program.wait() == 0


def test_places_come_back(container, outside, accepting):
    """However a proxy's connection ends that does not get as far as to name a client, others have its place."""
    program = accepting(", header_timeout: 300ms", max_connections=2, arguments=("--workers", "1"))
    with App(container, echo) as app:
        for _ in range(3):
            silent = [connect(outside, Cable.CONTAINER, 8080) for _ in range(2)]
            malformed, cut_off, gone, left = [connect(outside, Cable.CONTAINER, 8080) for _ in range(4)]
            malformed.sendall(b"GET / HTTP/1.1\r\n\r\n")
            cut_off.sendall(b"PROXY TCP4")
            cut_off.shutdown(socket.SHUT_WR)
            reset(gone)
            left.close()
            for client in (*silent, malformed, cut_off):
                assert isinstance(read_to_end(client)[1], ConnectionResetError)
                client.close()
        assert app.accepted == 0
        clients = [connect(outside, Cable.CONTAINER, 8080) for _ in range(2)]
        for client in clients:
            client.sendall(text(SOURCE, DESTINATION) + b"hello")
            assert read_exactly(client, 5) == b"hello"
            client.close()
    program.wait_for_closed(20)


def test_reload_while_a_header_is_on_its_way(container, outside, loopbridge, tmp_path):
    """A client that was accepted before is treated by the settings of then."""
    def routes(listener, **more):
        return [route(listener, "localhost:8000", name="web", **more)]

    accepting = {"proxy_protocol": "{ accept: true, trusted_proxies: " + TRUSTED + ", header_timeout: 20s }"}
    file = ConfigurationFile(tmp_path, *routes(8080, **accepting))
    program = loopbridge("--config", file.path)
    with App(container, echo):
        begun = []
        for count, after in enumerate((routes(8080), routes(8080, **accepting), routes(8081, **accepting)), 1):
            client = connect(outside, Cable.CONTAINER, 8080)
            if count != 2:
                client.sendall(b"PROXY TCP4 192.0.2.1 ")
                begun.append(client)
            else:
                # Accepted without a header's being expected.
                client.sendall(b"PROXY")
                assert read_exactly(client, 5) == b"PROXY"
                client.close()
            wait_until(lambda: len(program.messages("closed")) >= count // 2, "the client has left")
            file.set(*after)
            program.signal(signal.SIGHUP)
            program.wait_for_message("reloaded: ", count=count)
        with connect(outside, Cable.CONTAINER, 8081) as client:
            client.sendall(text(SOURCE, DESTINATION) + b"hello")
            assert read_exactly(client, 5) == b"hello"
        for client in begun:
            client.sendall(b"198.51.100.2 1000 443\r\nhello")
            assert read_exactly(client, 5) == b"hello"
            client.close()
    closed = [line["client"] for line in (program.wait_for_closed(4), program.closed())[1]]
    assert closed.count("192.0.2.1:1000") == 3
