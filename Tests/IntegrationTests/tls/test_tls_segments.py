"""However the network cuts a stream of TLS, and whenever its pieces come, no end of it waits for anything but the network."""

import concurrent.futures
import hashlib
import os
import socket
import ssl
import threading

import pytest

from support.actors.segments import Cutter, SegmentedTLS, send_segments
from support.apps import App
from support.configuration import ConfigurationFile, route
from support.http import Reader, get, ok
from support.namespaces import Cable
from support.settings import UPLOADS
from support.sockets import connect, read_exactly
from support.tls import context

CLIENTS = 8
# A stream that is never read to its end takes as long as the route's timeouts, which are longer.
PATIENCE = 12.0
# With so many that hang, the rest would say nothing new.
ENOUGH = 3 * CLIENTS
LIMITS = {"idle_timeout": "5m", "hold": "2m", "half_close_timeout": "5m"}
WAYS = {
    "direct": {},
    "queued": {"upstream_connections": "{ max: 1, queue: 1000, queue_timeout: 2m }"},
    "held": {},
}


@pytest.fixture
def seed(request):
    value = int.from_bytes(os.urandom(4), "big")
    print(f"seed: {value}")
    return value


@pytest.fixture
def bridge(loopbridge, tmp_path, pair):
    def start(protocol, workers=1, **settings):
        tls = f"{{ certificate: {pair.certificate}, key: {pair.key} }}"
        more = {"pool": "{ idle: 0 }", "http": "{ body_timeout: 2m, head_timeout: 2m, response_timeout: 2m }"}
        file = ConfigurationFile(
            tmp_path, route("8443", "localhost:8000", protocol=protocol, tls=tls, **LIMITS, **settings,
                            **(more if protocol == "http" else {})), workers=workers)
        return loopbridge("--config", file.path, "--access-log", "false")
    return start


def digest(data):
    return hashlib.sha256(data).hexdigest().encode()


def takes_counted_bytes(connection):
    """Reads a number in a line and so many bytes, and answers with their digest; 0 stands for all up to the end."""
    with connection.makefile("rb") as file:
        count = int(file.readline())
        connection.sendall(digest(file.read(count) if count else file.read()))


def takes_a_request(connection):
    """Answers each request with its body's digest."""
    reader = Reader(connection)
    while True:
        try:
            message = reader.message()
        except EOFError:
            return
        connection.sendall(ok(digest(message.body)))


class Uploads:
    """Clients that upload, some at a time, and what has become of them."""

    def __init__(self, outside, authority, seed, protocol):
        self._outside, self._protocol, self._seed = outside, protocol, seed
        self._contexts = [context(authority), context(authority, highest=ssl.TLSVersion.TLSv1_2)]
        self._session = None
        self.hung = []
        self.wrong = []

    def question(self, cutter, data):
        """The client's bytes, and whether its end belongs to them."""
        if self._protocol == "http":
            return get("/", b"Content-Length: %d\r\n" % len(data), "POST") + data, False
        finishes = cutter.chance(0.5)
        return b"%d\n" % (0 if finishes else len(data)) + data, finishes

    def upload(self, number, half_sent=None):
        """One upload. Without the app's being there, its second half is sent when `half_sent` has been called."""
        if len(self.hung) >= ENOUGH:
            return
        cutter = Cutter(self._seed + number)
        data = cutter.bytes(cutter.size())
        try:
            connection = connect(self._outside, Cable.CONTAINER, 8443, timeout=PATIENCE)
            # With a session to go on with, the client's message is the handshake's last in TLS 1.2 as well.
            old = cutter.chance(0.2)
            client = SegmentedTLS(connection, self._contexts[old], "example.test", self._session if old else None)
            if old and self._session is None:
                self._session = client.tls.session
            question, finishes = self.question(cutter, data)
            records = client.encrypt(question, cutter.piece(), finishes)
            cuts = cutter.cuts(len(records))
            pauses = cutter.pauses(len(cuts))
            if half_sent:
                # No more than the kernels take while nobody reads.
                first = min(cuts[len(cuts) // 2] if cuts else len(records), 40_000)
                send_segments(connection, records[:first], [cut for cut in cuts if cut < first], pauses)
                half_sent()
                records, cuts = records[first:], [cut - first for cut in cuts if cut > first]
            if records:
                send_segments(connection, records, cuts, pauses)
            answer = self.answer(client)
            client.close()
        except (TimeoutError, ssl.SSLError, OSError, EOFError) as error:
            self.hung.append((number, len(data), repr(error)))
            return
        if answer != digest(data):
            self.wrong.append((number, len(data), answer))

    def answer(self, client):
        if self._protocol == "tcp":
            return client.read(64)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.read(1)
        return client.read(64) if head.startswith(b"HTTP/1.1 200") else head

    def run(self, numbers, half_sent=None):
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(lambda number: self.upload(number, half_sent), numbers))

    def judge(self, count):
        assert not self.wrong, f"{len(self.wrong)} of {count} uploads arrived wrongly: {self.wrong[:5]}"
        assert not self.hung, f"{len(self.hung)} of {count} uploads were not read: {self.hung[:5]}"


@pytest.mark.limit(3600)
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("protocol", ["tcp", "http"])
def test_uploads_wait_for_nothing_but_the_network(outside, container, bridge, authority, seed, protocol, way, workers):
    bridge(protocol, workers, **WAYS[way])
    uploads = Uploads(outside, authority, seed, protocol)
    serve = takes_a_request if protocol == "http" else takes_counted_bytes
    count = max(UPLOADS // 12, CLIENTS)
    if way != "held":
        with App(container, serve):
            uploads.run(range(count))
        return uploads.judge(count)
    # The app comes when every client has said the first half.
    for start in range(0, count, CLIENTS):
        numbers = range(start, min(start + CLIENTS, count))
        waiting = threading.Semaphore(0)
        thread = threading.Thread(target=uploads.run, args=(numbers, waiting.release), daemon=True)
        thread.start()
        for _ in numbers:
            assert waiting.acquire(timeout=PATIENCE)
        with App(container, serve):
            thread.join(2 * PATIENCE)
        assert not thread.is_alive()
    uploads.judge(count)


HEADER = b"PROXY TCP4 192.0.2.1 192.0.2.2 1000 8443\r\n"


@pytest.mark.limit(300)
@pytest.mark.parametrize("connects", ["accept", "first_byte"])
@pytest.mark.parametrize("protocol", ["tcp", "http"])
def test_what_follows_a_proxy_header_is_read(outside, container, bridge, authority, protocol, connects):
    """In the header's own segment, in the next, and in between; the app comes when the client has said everything."""
    trusted = f"{{ accept: true, trusted_proxies: [{Cable.OUTSIDE}] }}"
    bridge(protocol, proxy_protocol=trusted, **({"connect": connects} if protocol == "tcp" else {}))
    serve = takes_a_request if protocol == "http" else takes_counted_bytes
    data = os.urandom(3000)
    question = get("/", b"Content-Length: 3000\r\n", "POST") + data if protocol == "http" else b"3000\n" + data
    end = len(HEADER)
    cuts = [(), (end,), (end - 5,), (end + 1,), (end + 100,), (end - 5, end + 5), (end, end + 5)]
    clients = []
    for header_cuts in cuts:
        for data_cuts in [(), (50,), (100, 2000)]:
            connection = connect(outside, Cable.CONTAINER, 8443, timeout=PATIENCE)
            client = SegmentedTLS(connection, context(authority), "example.test", header=HEADER, cuts=header_cuts)
            client.say(question, data_cuts)
            clients.append(client)
    with App(container, serve):
        for client in clients:
            answer = client.read(64) if protocol == "tcp" else client.read(len(ok(bytes(64))))[-64:]
            assert answer == digest(data)
            client.close()


@pytest.mark.limit(3600)
@pytest.mark.parametrize("workers", [1, 2])
def test_downloads_wait_for_nothing_but_the_network(outside, container, bridge, authority, seed, workers):
    """The app's segments have nothing to do with records, and the client's window is small."""
    bridge("tcp", workers)

    def serve(connection):
        number = int(read_exactly(connection, 10))
        cutter = Cutter(seed + number)
        data = cutter.bytes(cutter.size())
        cuts = cutter.cuts(len(data))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        send_segments(connection, data, cuts, cutter.pauses(len(cuts)))

    def download(number):
        cutter = Cutter(seed + number)
        data = cutter.bytes(cutter.size())
        connection = connect(outside, Cable.CONTAINER, 8443, timeout=PATIENCE,
                             receive_buffer=4096 if number % 2 else None)
        client = SegmentedTLS(connection, context(authority), "example.test")
        client.say(b"%010d" % number)
        assert client.read(len(data)) == data
        with pytest.raises(EOFError):
            client.read(1)
        client.close()

    with App(container, serve), concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(download, range(max(UPLOADS // 12, CLIENTS))))
