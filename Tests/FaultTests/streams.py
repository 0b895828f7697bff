"""Scenarios of streams: TCP, Unix sockets, TLS, the PROXY protocol, HTTP."""

import socket

from clients import Client
from exchanges import ExchangeApp, both_ways, direct, leaving, slow_reading, small_rounds
from scenario import Scenario, seed
from support.actors.proxy_protocol import binary
from support.configuration import route
from support.sockets import LOOPBACK, connect
from support.tls import Authority, context
from web import WebApp, fetching, leaving_web, upgrading


class TCP(Scenario):
    """Small rounds, both ways with a half-close, a slow reader, and one who leaves."""

    name = "tcp"
    routes = (route("127.0.0.1:8080", "127.0.0.1:8000", hold="2s"),)
    haproxy = """
listen tcp
    bind 127.0.0.1:8080
    server app 127.0.0.1:8000
"""
    half_close = True

    def drive(self):
        open = self.open()
        return [
            Client("small rounds", open, small_rounds(seed())),
            Client("both ways", open, both_ways(seed(), half_close=self.half_close)),
            Client("slow reader", open, slow_reading(seed())),
            Client("leaving", open, leaving(seed())),
        ]


class Unix(TCP):
    """The same between Unix sockets."""

    name = "unix"
    routes = (route("unix:{folder}/listen.sock", "unix:{folder}/app.sock", hold="2s"),)
    haproxy = """
listen unix
    bind unix@{folder}/listen.sock
    server app unix@{folder}/app.sock
"""
    ports = ()

    def start_app(self):
        (self.folder / "app.sock").unlink(missing_ok=True)
        (self.folder / "listen.sock").unlink(missing_ok=True)
        self.app = ExchangeApp(self.container, str(self.folder / "app.sock"))

    def open(self):
        return direct(self.container, str(self.folder / "listen.sock"))

    def is_listening(self):
        return (self.folder / "listen.sock").exists()

    def listeners(self):
        return [self.is_listening()]


class Web(Scenario):
    """Kept connections, uploads, chunks, a body that ends with its connection, an upgrade, one who leaves."""

    name = "http"
    routes = (route("127.0.0.1:8080", "127.0.0.1:8000", protocol="http", hold="2s", pool="{ idle: 8, idle_timeout: 1m }",
                    http="{ response_timeout: 2s }"),)
    haproxy = """
listen http
    mode http
    bind 127.0.0.1:8080
    http-reuse always
    option forwardfor
    server app 127.0.0.1:8000
"""

    def start_app(self):
        self.app = WebApp(self.container)

    def drive(self):
        open = self.open()
        return [
            Client("kept", open, fetching(seed(), "small", "upload", "chunked", "small", "small")),
            Client("large", open, fetching(seed(), "large")),
            Client("closing", open, fetching(seed(), "close")),
            Client("upgrade", open, upgrading(seed())),
            Client("leaving", open, leaving_web(seed())),
        ]

    def next_client(self):
        return Client("the next client", self.open(), fetching(seed(), "small"))

    def let_go(self):
        self.app.let_go()


class TLS(Scenario):
    """Clients of TLS, on a route of TCP and on one of HTTP."""

    name = "tls"
    _tls = "{ certificate: {folder}/server.crt, key: {folder}/server.key, handshake_timeout: 1m }"
    routes = (
        route("127.0.0.1:8080", "127.0.0.1:8000", hold="2s", tls=_tls),
        route("127.0.0.1:8081", "127.0.0.1:8001", hold="2s", tls=_tls, protocol="http", pool="{ idle: 8, idle_timeout: 1m }",
              http="{ response_timeout: 2s }"),
    )
    haproxy = """
listen tcp
    bind 127.0.0.1:8080 ssl crt {folder}/both.pem
    server app 127.0.0.1:8000
listen http
    mode http
    bind 127.0.0.1:8081 ssl crt {folder}/both.pem
    http-reuse always
    server app 127.0.0.1:8001
"""
    ports = (8080, 8081)

    def prepare(self):
        pair = Authority(self.folder).issue("server", "DNS:example.test")
        with open(pair.certificate) as certificate, open(pair.key) as key:
            (self.folder / "both.pem").write_text(certificate.read() + key.read())
        self._context = context()

    def start_app(self):
        self.app = ExchangeApp(self.container)
        self.web = WebApp(self.container, 8001)

    def stop(self):
        super().stop()
        if self.web:
            self.web.stop()
            self.web = None

    web = None

    def open(self, port=8080):
        def secured():
            plain = connect(self.container, LOOPBACK, port, timeout=5)
            try:
                return self._context.wrap_socket(plain, server_hostname="example.test", suppress_ragged_eofs=False)
            except BaseException:
                plain.close()
                raise
        return secured

    def drive(self):
        return [
            Client("small rounds", self.open(), small_rounds(seed())),
            Client("both ways", self.open(), both_ways(seed(), half_close=False)),
            Client("slow reader", self.open(), slow_reading(seed())),
            Client("leaving", self.open(), leaving(seed())),
            Client("kept", self.open(8081), fetching(seed(), "small", "upload", "chunked")),
            Client("large", self.open(8081), fetching(seed(), "large")),
        ]

    def let_go(self):
        self.web.let_go()

    def violations(self):
        found, self.web.violations[:] = list(self.web.violations), []
        return super().violations() + found


class Proxied(TCP):
    """The PROXY protocol: a header from clients, and one for the app."""

    name = "proxy-protocol"
    routes = (route("127.0.0.1:8080", "127.0.0.1:8000", hold="2s", proxy_protocol=
                    "{ accept: true, trusted_proxies: [127.0.0.0/8], header_timeout: 1m, send: v2 }"),)
    haproxy = """
listen proxied
    bind 127.0.0.1:8080 accept-proxy
    server app 127.0.0.1:8000 send-proxy-v2 proxy-v2-options crc32c
"""
    SOURCE = "192.0.2.7"

    def start_app(self):
        self.app = ExchangeApp(self.container, proxied=True)

    def open(self):
        def announced():
            connection = connect(self.container, LOOPBACK, 8080, timeout=5)
            try:
                header = binary(self.SOURCE, "198.51.100.1")
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                # In two parts, so that the program meets half a header; HAProxy wants it whole.
                first = 9 if self.subject == "loopbridge" else len(header)
                connection.sendall(header[:first])
                connection.sendall(header[first:])
                return connection
            except BaseException:
                connection.close()
                raise
        return announced

    def drive(self):
        return [
            Client("small rounds", self.open(), small_rounds(seed(), word=self.SOURCE)),
            Client("both ways", self.open(), both_ways(seed(), word=self.SOURCE)),
            Client("leaving", self.open(), leaving(seed(), word=self.SOURCE)),
        ]

    def next_client(self):
        return Client("the next client", self.open(), small_rounds(seed(), 1, self.SOURCE))
