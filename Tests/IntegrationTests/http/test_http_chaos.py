"""HTTP under everything at once: clients that leave at any moment, an app that misbehaves, dies and comes back, and reloads.
Whatever is answered must be what that very client asked for, and nothing may be left.

LOOPBRIDGE_CHAOS_SECONDS says for how long (8), once for each combination of settings.
"""

import random
import signal
import socket
import threading
import time

import pytest

from support.actors.restartable import RestartableApp
from support.configuration import ConfigurationFile, route
from support.namespaces import Cable
from support.settings import CHAOS_SECONDS, IS_SANITIZED
from support.sockets import connect, read_to_end, reset
from support.waiting import wait_until

SETTINGS = {
    "as it is": {},
    "few connections": {"upstream_connections": "{ max: 3, queue: 30, queue_timeout: 2s }"},
    "few kept, for a short time": {"pool": "{ idle: 1, idle_timeout: 20ms, max_requests: 5 }", "hold": "200ms"},
    "a client's own address": {"source": "per_client", "http": "{ host: upstream }"},
}

# Says in each answer which request it is for, and does one thing in ten wrong.
APP = """
import http.server, random, sys, time
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *arguments): pass
    def do_GET(self):
        kind = random.randrange(30)
        if kind == 0:
            self.close_connection = True
            return
        if kind == 1:
            time.sleep(0.05)  # an app that is slow now and then
        if self.headers.get("Content-Length") and kind != 2:
            self.rfile.read(int(self.headers["Content-Length"]))
        elif self.headers.get("Transfer-Encoding"):
            while size := int(self.rfile.readline(), 16):
                self.rfile.read(size + 2)
            self.rfile.readline()
        elif kind == 2:
            self.close_connection = True
        body = (self.path + "\\n").encode() * (1 if kind == 8 else random.choice((1, 10, 3000)))
        self.send_response(200)
        if kind == 2:
            self.close_connection = True
        if kind in (3, 4, 5):
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for _ in range(3):
                self.wfile.write(b"%x;x=y\\r\\n%s\\r\\n" % (len(body), body))
            self.wfile.write(b"0\\r\\n\\r\\n")
        elif kind == 6:
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = True
        elif kind == 7:
            self.send_header("Content-Length", str(len(body) + 100))
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            # In one piece with the answer: what comes later may meet the next request, and nobody can tell then.
            self.wfile.write(body + b"HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nevil\\n" * (kind == 8))
    do_POST = do_GET
class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True
    def handle_error(self, *arguments): pass
Server((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
"""


def request(path, chance):
    """One of several kinds of request."""
    head = b" /%s HTTP/1.1\r\nHost: a\r\n" % path
    kind = chance.randrange(4)
    if kind == 0:
        body = bytes(chance.choice((1, 1000, 100_000)))
        return b"POST" + head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    if kind == 1:
        return b"POST" + head + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3e8;a=b\r\n" + bytes(1000) + b"\r\n0\r\n\r\n"
    return b"GET" + head + b"\r\n"


def read_answers(connection, paths):
    """Reads answers until the connection ends; fails when one is not for the next of the paths. Returns how many of them
    were the app's."""
    served = 0
    with connection.makefile("rb") as stream:
        for path in paths:
            line = stream.readline()
            if not line:
                return served
            status = int(line.split()[1])
            length, is_chunked = None, False
            while (field := stream.readline().lower()) not in (b"\r\n", b""):
                if field.startswith(b"content-length:"):
                    length = int(field.split()[1])
                is_chunked = is_chunked or field.startswith(b"transfer-encoding:")
            if is_chunked:
                body = b""
                while size := int(stream.readline() or b"0", 16):
                    body += stream.read(size)
                    stream.readline()
                stream.readline()
            else:
                body = stream.read(length) if length is not None else stream.read()
            if status != 200:
                assert status in (400, 502, 503, 504), status
                return served
            # It may have been cut short, but is made of nothing else.
            said = b"/" + path + b"\n"
            assert body == (said * (len(body) // len(said) + 1))[:len(body)], (path, body[:200])
            served += 1
    return served


def visit(outside, chance, name):
    """One client's visit, which may end in any way; returns how often it was served."""
    client = connect(outside, Cable.CONTAINER, 8080, timeout=20)
    try:
        paths = [b"%s-%d" % (name, number) for number in range(chance.choice((1, 1, 3, 8)))]
        data = b"".join(request(path, chance) for path in paths)
        kind = chance.randrange(10)
        if kind == 0:
            return reset(client) or 0
        if kind == 1:
            client.sendall(data[:chance.randrange(len(data))])
            if chance.random() < 0.5:
                time.sleep(chance.random() * 0.05)  # chance decides when what happens, here and below
            return reset(client) or 0
        if kind == 2:
            client.sendall(data[:chance.randrange(len(data))])
            client.shutdown(socket.SHUT_WR)
            read_to_end(client)
            return 0
        if kind == 3:
            client.sendall(data)
            client.recv(100)
            return reset(client) or 0
        if kind == 4:
            client.sendall(b"BAD\r\n\r\nGET /evil HTTP/1.1\r\nHost: evil\r\nX: ")
        elif kind == 5:
            data += b"GET /evil HTTP/1.1\r\nHost: evil\r\nX : y\r\n\r\nGET /evil HTTP/1.1\r\nX: "
        sender = threading.Thread(target=send_quietly, args=(client, data), daemon=True)
        sender.start()
        served = read_answers(client, paths)
        sender.join(20)
        return served
    except OSError:
        return 0
    finally:
        client.close()


def send_quietly(client, data):
    try:
        client.sendall(data)
    except OSError:
        pass


@pytest.mark.load
@pytest.mark.limit(int(CHAOS_SECONDS) + 90)
@pytest.mark.parametrize("settings", SETTINGS)
def test_everybody_gets_what_they_asked_for(container, outside, loopbridge, tmp_path, settings):
    def routes(number):
        # The one is changed by every other reload, so its connections go on on a route that is no more.
        own = {"protocol": "http", **SETTINGS[settings]}
        return route("8080", "localhost:8000", "web", **own, max_connections=1000 + number % 2)

    file = ConfigurationFile(tmp_path, routes(0), workers=3)
    program = loopbridge("--config", file.path)
    before = program.settled_sockets()
    is_over = threading.Event()
    visits, served, failures = [0] * 12, [0] * 12, []

    def come_again(number):
        chance = random.Random(number)
        try:
            while not is_over.is_set():
                served[number] += visit(outside, chance, b"%d-%d" % (number, visits[number]))
                visits[number] += 1
        except Exception as failure:
            failures.append(failure)

    threads = [threading.Thread(target=come_again, args=(number,)) for number in range(len(visits))]
    memory = []
    with RestartableApp(container, APP) as app:
        for thread in threads:
            thread.start()
        chance = random.Random(99)
        end = time.monotonic() + CHAOS_SECONDS
        reloads = 0
        while time.monotonic() < end:
            time.sleep(0.3 + chance.random() * 0.8)
            if chance.random() < 0.5:
                reloads += 1
                file.set(routes(reloads), workers=3)
                program.signal(signal.SIGHUP)
            else:
                app.kill()
                time.sleep(chance.choice((0, 0, 0.05, 0.4)))
                app.start()
            memory.append(program.memory("Anonymous"))
        app.wait_until_listening()
        is_over.set()
        for thread in threads:
            thread.join(40)
            assert not thread.is_alive(), "a client waits for ever"
    assert not failures, failures[0]
    assert sum(served) > 10 * CHAOS_SECONDS / (10 if IS_SANITIZED else 1)
    wait_until(lambda: program.open_sockets() <= before, "its sockets are closed", limit=20)
    if not IS_SANITIZED and len(memory) > 8:
        assert memory[-1] < max(memory[: len(memory) // 2]) + (6 << 20), memory
    print(f"{settings}: {sum(visits)} visits, {sum(served)} answers, {reloads} reloads")
