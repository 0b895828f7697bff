"""The PROXY protocol with real programs on the other side: HAProxy before loopbridge and behind it, and nginx as the app."""

import shutil
import socket

import pytest

from support.actors.proxy_protocol import TLS, TRUSTED, UNIQUE_ID, read_header
from support.apps import App, AppInHand, echo
from support.configuration import ConfigurationFile, route
from support.http import Client, HTTPApp, Reader, get, ok
from support.namespaces import Cable
from support.programs.haproxy import HAProxy
from support.programs.web_apps import start_web_app
from support.sockets import connect, read_exactly, read_to_end
from support.tls import Authority, secure

ACCEPTING = f"accept: true, trusted_proxies: {TRUSTED}"
# On which HAProxy's clients are, that reach it on loopback.
NEAR = {"IPv4": ("127.0.0.1", "127.0.0.77"), "IPv6": ("::1", None)}


@pytest.fixture
def start(loopbridge, tmp_path):
    """Starts loopbridge with one route, whose `proxy_protocol` is the text given."""

    def start(proxy_protocol, upstream="localhost:8000", listen=8080, **settings):
        file = ConfigurationFile(
            tmp_path, route(listen, upstream, proxy_protocol="{ " + proxy_protocol + " }", **settings))
        return loopbridge("--config", file.path)

    return start


def front(options, bind, mode="tcp", server=f"{Cable.CONTAINER}:8080", more=""):
    """Sections of a HAProxy before loopbridge."""
    return f"""
listen front
    mode {mode}
    bind {bind}
    {more}
    server loopbridge {server} {options}
"""


def app_that_tells(bind):
    """Sections of a HAProxy that is the app, and answers with what it has heard."""
    return f"""
frontend app
    mode http
    bind {bind}
    http-request return status 200 content-type text/plain lf-string "%[src] %[src_port] %[dst] %[dst_port] %[fc_pp_unique_id]"
"""


def named(client):
    host, port = client.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


# HAProxy before


@pytest.mark.parametrize("options", ["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c"])
@pytest.mark.parametrize("server", [Cable.CONTAINER, f"[{Cable.CONTAINER_V6}]"], ids=["to IPv4", "to IPv6"])
@pytest.mark.parametrize("family", NEAR)
def test_client_of_haproxy(container, outside, start, tmp_path, options, server, family):
    program = start(ACCEPTING)
    address, source = NEAR[family]
    bind = f"{address if family == 'IPv4' else f'[{address}]'}:9000"
    with App(container, echo), HAProxy(outside, tmp_path, front(options, bind, server=f"{server}:8080"), ports=[9000]):
        for count in range(1, 6):
            with connect(outside, address, 9000, source=source) as client:
                name = named(client)
                client.sendall(b"hello" * 10_000)
                client.shutdown(socket.SHUT_WR)
                assert read_to_end(client) == (b"hello" * 10_000, None)
            closed = program.wait_for_closed(count)
            assert (closed["client"], closed["end"]) == (name, "finished")
    assert not program.messages("no valid PROXY header")


def test_client_of_haproxy_with_one_listener_for_both_families(container, outside, start, tmp_path):
    """It takes its IPv4 clients for IPv6 ones, which they are not."""
    program = start(ACCEPTING)
    with App(container, echo), HAProxy(outside, tmp_path, front("send-proxy-v2", ":::9000 v4v6"), ports=[9000]):
        with connect(outside, "127.0.0.1", 9000, source="127.0.0.77") as client:
            name = named(client)
            client.sendall(b"hello")
            assert read_exactly(client, 5) == b"hello"
        assert program.wait_for_closed()["client"] == name


@pytest.mark.parametrize("options", ["send-proxy", "send-proxy-v2"])
def test_unix_client_of_haproxy(container, outside, start, tmp_path, options):
    """Of whom HAProxy says nothing; and the connection goes on as its own."""
    program = start(ACCEPTING)
    path = tmp_path / "front.sock"
    sections = front(options, f"unix@{path}")
    with App(container, echo), HAProxy(outside, tmp_path, sections, paths=[path]):
        with connect(outside, str(path)) as client:
            client.sendall(b"hello")
            assert read_exactly(client, 5) == b"hello"
        closed = program.wait_for_closed()
        assert closed["client"].startswith(Cable.OUTSIDE + ":") and closed["end"] == "finished"
    assert not program.messages("no valid PROXY header")


@pytest.mark.parametrize("options", ["send-proxy", "send-proxy-v2"])
def test_haproxy_that_comes_to_a_unix_socket(container, outside, start, tmp_path, options):
    """As neighbours on one machine do. A client that has no address itself stays unnamed, as HAProxy is."""
    listen, path = tmp_path / "web.sock", tmp_path / "front.sock"
    program = start("accept: true, trusted_proxies: unix", listen=f"unix:{listen}")
    more = f"bind [::1]:9001\n    bind unix@{path}"
    sections = front(options, "127.0.0.1:9000", server=f"unix@{listen}", more=more)
    with App(container, echo), HAProxy(outside, tmp_path, sections, ports=[9000, 9001], paths=[path]):
        for count, place in enumerate([("127.0.0.1", 9000), ("::1", 9001), (str(path),)], 1):
            with connect(outside, *place) as client:
                name = named(client) if len(place) == 2 else "unix:"
                client.sendall(b"hello" * 10_000)
                client.shutdown(socket.SHUT_WR)
                assert read_to_end(client) == (b"hello" * 10_000, None)
            closed = program.wait_for_closed(count)
            assert (closed["client"], closed["end"]) == (name, "finished")
    assert not program.messages("no valid PROXY header")


@pytest.mark.parametrize("options", ["send-proxy", "send-proxy-v2"])
def test_haproxys_health_checks(container, outside, start, tmp_path, options):
    """They are LOCAL connections, and leave nothing behind."""
    program = start(ACCEPTING)
    sections = front(f"{options} check check-send-proxy inter 50ms", "127.0.0.1:9000")
    with App(container, echo), HAProxy(outside, tmp_path, sections, ports=[9000]):
        program.wait_for_closed(5)
        with connect(outside, "127.0.0.1", 9000) as client:
            client.sendall(b"hello")
            assert read_exactly(client, 5) == b"hello"
    assert not program.messages("no valid PROXY header")


def test_haproxy_that_sends_no_header(container, outside, start, tmp_path):
    """It is told, and its clients see that something is wrong."""
    program = start(ACCEPTING)
    with App(container, echo) as app, HAProxy(outside, tmp_path, front("", "127.0.0.1:9000"), ports=[9000]):
        with connect(outside, "127.0.0.1", 9000) as client:
            client.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert read_to_end(client)[0] == b""
        warning = program.wait_for_message("no valid PROXY header from a trusted proxy")
        assert warning["reason"] == "it does not begin with one"
        assert warning["proxy"].startswith(Cable.OUTSIDE + ":")
        assert app.accepted == 0


def test_http_client_of_haproxy(container, outside, start, tmp_path):
    start(ACCEPTING, protocol="http")
    with HTTPApp(container) as app, HAProxy(
            outside, tmp_path, front("send-proxy-v2", "127.0.0.1:9000"), ports=[9000]):
        client = Client(outside, "127.0.0.1", 9000, source="127.0.0.77")
        for _ in range(3):
            client.send(get())
            request = app.next_request()
            assert request[b"x-forwarded-for"] == b"127.0.0.77"
            request.answer(ok(b"hello"))
            assert client.response().body == b"hello"
        client.close()


@pytest.fixture
def authority(tmp_path):
    if not shutil.which("openssl"):
        pytest.skip("there is no openssl here")
    return Authority(tmp_path)


def bundle(folder, pair):
    """The file of a certificate and its key, as HAProxy wants it."""
    path = folder / "front.pem"
    path.write_bytes(b"".join(open(part, "rb").read() for part in (pair.certificate, pair.key)))
    return path


@pytest.mark.parametrize("listen, has_certificate", [("8080", False), ("unix:{}/web.sock", True)])
def test_tls_of_haproxys_client(container, outside, start, tmp_path, authority, listen, has_certificate):
    """An app of HTTP hears that it was https, and one of the PROXY protocol all that HAProxy has said."""
    listen = listen.format(tmp_path)
    trusted = TRUSTED[:-1] + ", unix]"
    start(f"accept: true, trusted_proxies: {trusted}, send: v2", protocol="http", listen=listen)
    server = f"{Cable.CONTAINER}:8080" if listen == "8080" else listen.replace(":", "@")
    options = "send-proxy-v2-ssl-cn proxy-v2-options ssl,cert-cn,cert-key,cert-sig,ssl-cipher,unique-id,crc32c"
    certificate = bundle(tmp_path, authority.issue("front", kind=("rsa:2048",)))
    ask = f"ca-file {authority.certificate} verify required" if has_certificate else ""
    sections = front(
        options, f"127.0.0.1:9000 ssl crt {certificate} {ask}", server=server, more="unique-id-format id-of-%ci:%cp")
    alice = authority.issue("alice", subject="/O=Example/CN=alice") if has_certificate else None
    with AppInHand(container) as in_hand, HAProxy(outside, tmp_path, sections, ports=[9000]):
        with secure(connect(outside, "127.0.0.1", 9000), pair=alice) as client:
            client.sendall(get())
            app = in_hand.next()
            header = read_header(app)
            assert (header.source, header.source_port) == client.getsockname()
            assert header.fields[UNIQUE_ID] == "id-of-{}:{}".format(*client.getsockname()).encode()
            said = header.fields[TLS]
            assert said[0] == (7 if has_certificate else 1) and (b"alice" in said) == has_certificate
            assert client.version().encode() in said and client.cipher()[0].encode() in said and b"RSA2048" in said
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += app.recv(10_000)
            assert b"x-forwarded-proto: https\r\n" in head.lower()


# HAProxy behind


@pytest.mark.parametrize("form", ["v1", "v2"])
@pytest.mark.parametrize("protocol", ["tcp", "http"])
@pytest.mark.parametrize("family", ["IPv4", "IPv6", "Unix"])
def test_haproxy_as_the_app(container, outside, start, tmp_path, form, protocol, family):
    path = tmp_path / "app.sock"
    upstream, bind = {
        "IPv4": ("127.0.0.1:8000", "127.0.0.1:8000"), "IPv6": ('"[::1]:8000"', "[::1]:8000"),
        "Unix": (f"unix:{path}", f"unix@{path}")}[family]
    ready = {"paths": [path]} if family == "Unix" else {"ports": [8000]}
    start(f"send: {form}", upstream=upstream, protocol=protocol)
    ids = set()
    with HAProxy(container, tmp_path, app_that_tells(f"{bind} accept-proxy"), **ready):
        for server in (Cable.CONTAINER, Cable.CONTAINER_V6):
            client = Client(outside, server)
            host, port = client.connection.getsockname()[:2]
            for _ in range(2):
                words = client.send(get()).response().body.decode().split(" ")
                assert words[:4] == [host, str(port), server, "8080"]
            ids.add(words[4])
            client.close()
    assert len(ids) == (2 if form == "v2" else 1) and ("" in ids) == (form == "v1")


@pytest.mark.parametrize("form", ["v1", "v2"])
@pytest.mark.parametrize("family", ["IPv4", "Unix"])
def test_haproxy_as_the_app_of_a_unix_client(container, start, tmp_path, form, family):
    """It hears of nobody, and goes by the connection itself."""
    listen, path = f"{tmp_path}/web.sock", tmp_path / "app.sock"
    upstream, bind, ready, source = {
        "IPv4": ("127.0.0.1:8000", "127.0.0.1:8000", {"ports": [8000]}, "127.0.0.1"),
        "Unix": (f"unix:{path}", f"unix@{path}", {"paths": [path]}, "")}[family]
    start(f"send: {form}", upstream=upstream, listen=f"unix:{listen}")
    with HAProxy(container, tmp_path, app_that_tells(f"{bind} accept-proxy"), **ready):
        client = Client(container, listen)
        for _ in range(2):
            assert client.send(get()).response().body.decode().split(" ")[0] == source
        client.close()


@pytest.mark.parametrize("server", [(Cable.CONTAINER, 8443), (Cable.CONTAINER_V6, 8443), ("web.sock",)])
def test_haproxy_as_the_app_of_a_client_with_tls(container, outside, start, tmp_path, authority, server):
    """It takes what it is told of TLS, though it shows nobody, and finds the rest behind it."""
    is_unix = len(server) == 1
    if is_unix:
        server = (f"{tmp_path}/web.sock",)
    pair, alice = authority.issue("server", "DNS:example.test"), authority.issue("alice")
    start("send: v2", listen=f"unix:{server[0]}" if is_unix else 8443,
          tls=f"{{ certificate: {pair.certificate}, key: {pair.key}, client_ca: {authority.certificate} }}")
    with HAProxy(container, tmp_path, app_that_tells("127.0.0.1:8000 accept-proxy"), ports=[8000]):
        client = secure(connect(outside, *server), authority, pair=alice)
        reader = Reader(client)
        for _ in range(2):
            client.sendall(get())
            words = reader.message().body.decode().split(" ")
            if is_unix:
                assert words[0] == "127.0.0.1"
            else:
                assert words[:4] == [*map(str, client.getsockname()[:2]), server[0], "8443"] and words[4] != ""
        client.close()


@pytest.mark.parametrize("before", ["send-proxy", "send-proxy-v2 proxy-v2-options unique-id,crc32c"])
@pytest.mark.parametrize("form", ["v1", "v2"])
def test_haproxy_on_both_sides(container, outside, start, tmp_path, before, form):
    start(f"{ACCEPTING}, send: {form}")
    sections = front(before, "127.0.0.1:9000", more="unique-id-format id-of-%cp")
    with HAProxy(container, tmp_path, app_that_tells("127.0.0.1:8000 accept-proxy"), ports=[8000]), HAProxy(
            outside, tmp_path, sections, ports=[9000]):
        client = Client(outside, "127.0.0.1", 9000, source="127.0.0.77")
        port = client.connection.getsockname()[1]
        words = client.send(get()).response().body.decode().split(" ")
        assert words[:4] == ["127.0.0.77", str(port), "127.0.0.1", "9000"]
        if form == "v2":
            assert (words[4] == f"id-of-{port}") == ("unique-id" in before) and words[4] != ""
        client.close()


# nginx


@pytest.mark.parametrize("form", ["v1", "v2"])
@pytest.mark.parametrize("protocol", ["tcp", "http"])
def test_nginx_as_the_app(container, outside, start, tmp_path, form, protocol):
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if not nginx:
        pytest.skip("there is no nginx here")
    file = tmp_path / "nginx.conf"
    file.write_text(f"""
daemon off;
master_process off;
pid {tmp_path}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {tmp_path}; proxy_temp_path {tmp_path}; fastcgi_temp_path {tmp_path};
    uwsgi_temp_path {tmp_path}; scgi_temp_path {tmp_path};
    server {{
        listen 127.0.0.1:8000 proxy_protocol;
        location / {{
            default_type text/plain;
            return 200 "$proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_addr $proxy_protocol_server_port";
        }}
    }}
}}
""")
    start(f"send: {form}", protocol=protocol)
    with start_web_app(container, nginx, "-c", str(file), "-p", str(tmp_path)):
        for server in (Cable.CONTAINER, Cable.CONTAINER_V6):
            client = Client(outside, server)
            host, port = client.connection.getsockname()[:2]
            for _ in range(2):
                assert client.send(get()).response().body.decode() == f"{host} {port} {server} 8080"
            client.close()
