"""TLS ends here: what clients say in it reaches the app in plain bytes, ends and all."""

import hashlib
import itertools
import os
import signal
import socket
import ssl
import subprocess
import threading

import pytest

from support.apps import App, AppInHand, echo
from support.configuration import ConfigurationFile, route
from support.http import HTTPApp, Reader, answers, chunks, get, ok, post
from support.namespaces import Cable
from support.settings import CERTIFICATE_SWAPS, PROGRAM
from support.sockets import connect, read_exactly, read_to_end, reset
from support.tls import context, secure
from support.waiting import wait_until


@pytest.fixture
def bridge(loopbridge, tmp_path, pair):
    def start(protocol="tcp", more="", **settings):
        tls = f"{{ certificate: {pair.certificate}, key: {pair.key}{more} }}"
        file = ConfigurationFile(
            tmp_path, route("8443", "localhost:8000", protocol=protocol, tls=tls, **settings), workers=1)
        return loopbridge("--config", file.path)
    return start


@pytest.fixture
def client(outside, authority):
    def make(**options):
        return secure(connect(outside, Cable.CONTAINER, 8443), authority, **options)
    return make


def refused(make, **options):
    """Returns the error of a client that is not let in: at the handshake, or with TLS 1.3 at its first read."""
    try:
        connection = make(**options)
        connection.recv(1)
    except (ssl.SSLError, ConnectionResetError, BrokenPipeError) as error:
        return str(error)
    raise AssertionError("the client was let in")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_bytes_and_ends_go_both_ways(container, bridge, client, version):
    bridge()
    with AppInHand(container) as app:
        outer = client(highest=version)
        inner = app.next()
        data = os.urandom(3_000_000)
        for sender, receiver in ((outer, inner), (inner, outer)):
            thread = threading.Thread(target=sender.sendall, args=(data,), daemon=True)
            thread.start()
            assert hashlib.sha256(read_exactly(receiver, len(data))).digest() == hashlib.sha256(data).digest()
            thread.join(10)
        # The app's end is close_notify, and the client goes on.
        inner.shutdown(socket.SHUT_WR)
        assert outer.recv(1) == b""
        outer.sendall(b"last words")
        assert read_exactly(inner, 10) == b"last words"


def test_an_end_without_close_notify_is_a_reset(container, bridge, client):
    bridge()
    with AppInHand(container) as app:
        outer = client()
        inner = app.next()
        outer.sendall(b"half of it")
        assert read_exactly(inner, 10) == b"half of it"
        socket.socket.shutdown(outer, socket.SHUT_WR)
        _, error = read_to_end(inner)
        assert isinstance(error, ConnectionResetError)


def test_the_apps_reset_is_no_proper_end(container, bridge, client):
    bridge()
    with AppInHand(container) as app:
        outer = client()
        inner = app.next()
        inner.sendall(b"half of it")
        assert outer.recv(100) == b"half of it"
        reset(inner)
        # Python takes a reset for an end; the kernel does not.
        with pytest.raises(ConnectionResetError):
            socket.socket.recv(outer, 1)


def test_an_app_of_http_learns_how_the_client_came(container, bridge, client):
    bridge("http")
    with HTTPApp(container) as app:
        connection = client(protocols=["h2", "http/1.1"])
        assert connection.selected_alpn_protocol() == "http/1.1"
        connection.sendall(get("/", b"X-Forwarded-Proto: http\r\nX-Client-Certificate-Subject: CN=root\r\n"
                                    b"X_Client_Certificate_Subject: CN=root\r\nX-Client-Cert: forged\r\n"))
        request = app.next_request()
        assert request[b"x-forwarded-proto"] == b"https"
        assert request[b"forwarded"].endswith(b"proto=https")
        assert b"CN=root" not in request.head and b"forged" not in request.head
        assert b"client-cert" not in request.head.lower()
        request.answer(ok(b"hello"))
        assert Reader(connection).message().body == b"hello"


def dribbling(plain, authority, piece):
    """A client whose handshake comes in small pieces, with its first request right behind it; returns the answer's reader."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context(authority).wrap_bio(incoming, outgoing, server_hostname="example.test")
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def flush(size):
        data = outgoing.read()
        for start in range(0, len(data), size):
            plain.sendall(data[start:start + size])

    while True:
        try:
            tls.do_handshake()
            break
        except ssl.SSLWantReadError:
            flush(piece)
            incoming.write(plain.recv(65536))
    # The handshake's last message and the requests come in one piece.
    tls.write(3 * get("/first"))
    flush(1 << 20)
    answers = b""
    while answers.count(b"hello") < 3:
        try:
            answers += tls.read(65536)
        except ssl.SSLWantReadError:
            data = plain.recv(65536)
            assert data, "the connection has ended"
            incoming.write(data)
    return answers


@pytest.mark.parametrize("piece", [1, 100, 1 << 20])
def test_a_handshake_in_pieces_and_requests_in_one(container, bridge, outside, authority, piece):
    bridge("http")
    with HTTPApp(container, answers(ok(b"hello"))):
        dribbling(connect(outside, Cable.CONTAINER, 8443), authority, piece)


def test_everything_that_http_knows_goes_through_tls(container, bridge, client):
    bridge("http")
    with HTTPApp(container, reads_body=False) as app:
        connection = client()
        reader = Reader(connection)
        connection.sendall(post(b"", fields=b"Expect: 100-continue\r\n").replace(b"Content-Length: 0", b"Content-Length: 70000"))
        request = app.next_request()
        request.connection.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")
        assert [reader.message(body_follows=False).status for _ in range(2)] == [103, 100]
        # Records of all sizes, and behind the body the next request, which waits for its turn.
        body = os.urandom(70_000)
        connection.sendall(body + get("/next"))
        assert request.reader.exactly(70_000) == body
        request.answer(ok(body))
        assert reader.message().body == body
        app.next_request().answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(body[:30_000], b"end"))
        assert reader.message().body == body[:30_000] + b"end"
        # Bytes right behind the request for another protocol, and right behind the response to it.
        connection.sendall(
            get("/socket", b"Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n") + body)
        request = app.next_request()
        request.connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n" + body)
        assert reader.message(body_follows=False).status == 101
        assert reader.exactly(len(body)) == body
        assert request.reader.exactly(len(body)) == body
        request.done()
        old = client()
        old.sendall(get("/", version="1.0"))
        app.next_request().answer(ok(b"hello"))
        assert Reader(old).rest().endswith(b"hello")


@pytest.mark.parametrize("first", [True, False])
def test_who_says_something_first_is_connected_then(container, bridge, client, first):
    """The app sees nobody before the first byte in TLS, however the kernel has told of it."""
    bridge(connect="first_byte", hold="5s")
    with AppInHand(container) as app:
        outer = client()
        if first:
            outer.sendall(b"hello")
            assert read_exactly(app.next(), 5) == b"hello"
        else:
            outer.unwrap()
            assert app.accepted == 0


def test_redirects_go_to_https(container, bridge, client):
    bridge("http", http="{ host: upstream }")
    with HTTPApp(container) as app:
        connection = client()
        connection.sendall(get("/"))
        app.next_request().answer(ok(b"", b"Location: http://localhost:8000/there\r\n", b"302 Found"))
        assert Reader(connection).message()[b"location"] == b"https://example.test/there"


@pytest.mark.parametrize("mode", ["required", "optional"])
def test_clients_with_a_certificate_are_known_to_the_app(container, bridge, client, authority, mode):
    program = bridge("http", f", client_ca: {authority.certificate}, client_certificate: {mode}")
    alice = authority.issue("alice", subject="/O=Example/CN=alice")
    with HTTPApp(container) as app:
        # Ours are no part of what a client may have left out on the way.
        forged = (b"X-Client-Certificate-Subject: CN=root\r\nX-Client-Certificate-Verified: SUCCESS\r\n"
                  b"x_client-CERTIFICATE_Subject: CN=root\r\nx-client-certificate-subject: CN=root\r\n"
                  b"Connection: X-Client-Certificate-Subject, X-Client-Certificate-Verified\r\n"
                  b"Transfer-Encoding: chunked\r\nTrailer: X-Client-Certificate-Subject\r\n")
        body = b"1\r\nx\r\n0\r\nX-Client-Certificate-Subject: CN=root\r\nX-Harmless: 1\r\n\r\n"
        connection = client(pair=alice)
        connection.sendall(get("/", forged, "POST") + body)
        request = app.next_request()
        assert b"CN=root" not in request.head + request.raw_body and b"X-Harmless" in request.raw_body
        assert request.head.lower().count(b"client-certificate-subject:") == 1
        assert request[b"x-client-certificate-verified"] == b"SUCCESS"
        assert request[b"x-client-certificate-subject"] == b"CN=alice,O=Example"
        assert len(request[b"x-client-certificate-fingerprint"]) == 64
        request.answer(ok())
        if mode == "optional":
            connection = client()
            connection.sendall(get("/", forged, "POST") + body)
            request = app.next_request()
            assert b"CN=root" not in request.head + request.raw_body
            assert request[b"x-client-certificate-verified"] == b"NONE"
            assert request[b"x-client-certificate-subject"] is None
            request.answer(ok())
        else:
            assert "certificate required" in refused(client)
            assert "certificate refused" in program.wait_for_closed()["end"]


def test_a_proxys_header_comes_before_tls_and_tells_the_app_of_it(container, bridge, outside, authority):
    alice = authority.issue("alice", subject="/CN=alice")
    bridge(
        more=f", client_ca: {authority.certificate}",
        proxy_protocol=f"{{ accept: true, trusted_proxies: [{Cable.OUTSIDE}], send: v2 }}")
    with AppInHand(container) as app:
        plain = connect(outside, Cable.CONTAINER, 8443)
        plain.sendall(b"PROXY TCP4 192.0.2.7 192.0.2.8 1000 443\r\n")
        outer = secure(plain, authority, pair=alice)
        outer.sendall(b"hello")
        inner = app.next()
        start = read_exactly(inner, 16)
        assert start[:12] == b"\r\n\r\n\0\r\nQUIT\n"
        header = read_exactly(inner, int.from_bytes(start[14:], "big"))
        assert header[:8] == bytes([192, 0, 2, 7, 192, 0, 2, 8])
        assert b"TLSv1.3" in header and b"alice" in header and b"TLS_AES_128_GCM_SHA256" in header
        assert read_exactly(inner, 5) == b"hello"


def test_old_versions_are_refused(container, bridge, outside):
    program = bridge()
    for version in ("1.0", "1.1"):
        result = subprocess.run(
            outside.command("curl", "-sk", "--tls-max", version, "--ciphers", "DEFAULT:@SECLEVEL=0", f"https://{Cable.CONTAINER}:8443/"),
            capture_output=True, timeout=20)
        assert result.returncode == 35
    assert "unsupported protocol" in program.wait_for_closed(2)["end"]


def test_who_says_nothing_or_half_is_reset_in_time(bridge, outside):
    program = bridge(more=", handshake_timeout: 200ms")
    for beginning in (b"", b"\x16\x03\x01\x02\x00\x01\x00"):
        connection = connect(outside, Cable.CONTAINER, 8443)
        connection.sendall(beginning)
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    assert program.wait_for_closed(2)["end"] == "TLS handshake timeout"


@pytest.mark.parametrize("beginning", [b"\x16\x03\x01\x02\x00\x01\x00", b"\x16\x03\x01\x00\x07\x01\x00\x01\x00\x03\x03\x00"])
def test_who_says_half_and_leaves_is_let_go_at_once(bridge, outside, beginning):
    """A part of a record, and a part of a hello that stands in several."""
    program = bridge(more=", handshake_timeout: 10m")
    connection = connect(outside, Cable.CONTAINER, 8443)
    # Both in one segment.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    connection.sendall(beginning)
    connection.shutdown(socket.SHUT_WR)
    assert program.wait_for_closed()["end"] == "TLS handshake failed: the client left"


def test_who_does_not_speak_tls_is_named(bridge, outside):
    program = bridge("http")
    connection = connect(outside, Cable.CONTAINER, 8443)
    connection.sendall(get("/"))
    assert "HTTP without TLS" in program.wait_for_closed()["end"]


def serial_of(connection):
    return connection.getpeercert()["serialNumber"]


@pytest.mark.limit(600)
@pytest.mark.parametrize("protocol", ["tcp", "http"])
def test_certificates_are_swapped_under_load(container, loopbridge, tmp_path, authority, outside, protocol):
    """Whatever moment a connection begins in, it is shown the old certificate or the new one, and what is open goes on."""
    served = authority.issue("served", "DNS:example.test")
    spare = [authority.issue(f"spare-{number}", "DNS:example.test") for number in range(4)]
    tls = f"{{ certificate: {served.certificate}, key: {served.key} }}"
    file = ConfigurationFile(tmp_path, route("8443", "localhost:8000", tls=tls, protocol=protocol))
    program = loopbridge("--config", file.path)
    seen, failures, done, made = set(), [], threading.Event(), itertools.count()
    exchange = echoes if protocol == "tcp" else answers_two

    def begin():
        connection = secure(connect(outside, Cable.CONTAINER, 8443), authority)
        next(made)
        return connection

    def load():
        with begin() as kept:
            while not done.is_set():
                try:
                    with begin() as connection:
                        exchange(connection)
                        seen.add(serial_of(connection))
                    exchange(kept)
                except Exception as error:  # noqa: BLE001: told below
                    failures.append(error)

    with App(container, echo) if protocol == "tcp" else HTTPApp(container, answers(ok(b"hello"))):
        threads = [threading.Thread(target=load, daemon=True) for _ in range(2)]
        for thread in threads:
            thread.start()
        for number in range(CERTIFICATE_SWAPS):
            # None that a connection which is still under way may have been shown.
            new = spare[number % 4]
            serial = new.serial()
            seen.clear()
            served.replace_by(new)
            # The files may be read by anybody first, and any number of times.
            if number % 3 == 2:
                program.signal(signal.SIGHUP)
            wait_until(lambda: serial in seen, "the new certificate is shown")
        done.set()
        for thread in threads:
            thread.join(10)
    print(f"{next(made)} connections, {len(failures)} failures")
    assert not failures


def echoes(connection):
    connection.sendall(b"hello")
    assert read_exactly(connection, 5) == b"hello"


def answers_two(connection):
    connection.sendall(2 * get("/"))
    reader = Reader(connection)
    assert [reader.message().body for _ in range(2)] == [b"hello", b"hello"]


def test_a_pair_that_does_not_fit_is_not_taken_over(container, loopbridge, tmp_path, authority, outside):
    served, other = authority.issue("fits", "DNS:example.test"), authority.issue("fits-not", "DNS:example.test")
    file = ConfigurationFile(
        tmp_path,
        route("8443", "localhost:8000", tls=f"{{ certificate: {served.certificate}, key: {served.key} }}"))
    program = loopbridge("--config", file.path)
    with App(container, echo):
        first = serial_of(secure(connect(outside, Cable.CONTAINER, 8443), authority))
        os.replace(other.key, served.key)
        program.wait_for_message("is not that of the certificate", "what was good before stays")
        assert serial_of(secure(connect(outside, Cable.CONTAINER, 8443), authority)) == first
        program.signal(signal.SIGHUP)
        program.wait_for_message("not reloaded, nothing has changed")
        os.replace(other.certificate, served.certificate)
        wait_until(
            lambda: serial_of(secure(connect(outside, Cable.CONTAINER, 8443), authority)) != first,
            "the new pair is served")


def test_wrong_files_are_refused_at_the_start(container, tmp_path, authority, pair):
    expired = authority.issue("expired", "DNS:example.test", days=-1)
    for certificate, key, blamed, expected in (
            (expired.certificate, expired.key, expired.certificate, "expired on"),
            (pair.certificate, expired.key, expired.key, "is not that of the certificate"),
            (pair.certificate, "/nowhere.key", "/nowhere.key", "cannot read the key /nowhere.key: No such file")):
        file = ConfigurationFile(
            tmp_path, route("8443", "localhost:8000", tls=f"{{ certificate: {certificate}, key: {key} }}"))
        with open(file.path) as text:
            column = text.read().split("\n")[1].index(blamed) + 1
        for command in ("check", "serve"):
            result = subprocess.run(
                container.command(PROGRAM, command, "--config", file.path), capture_output=True, text=True, timeout=20)
            assert result.returncode == 78
            assert f"{file.path}:2:{column}: error:" in result.stderr
            assert expected in result.stderr
            assert "BEGIN" not in result.stderr
