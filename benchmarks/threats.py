#!/usr/bin/python3
"""Measures the cost of hostile clients to a running loopbridge: memory and processor time for each connection, for each byte that they
send, and how many bytes they are sent for one of theirs.

    benchmarks/threats.py dist/loopbridge

Each attack runs against a fresh program in a network namespace of its own. A warm-up of a tenth comes first, so that what a
program needs once is in no figure. Memory is the process's anonymous memory (/proc/PID/smaps_rollup); the kernel's
buffers come on top, as with any program. Processor time is what its threads ran for (/proc/PID/task/*/schedstat).
"""

import argparse
import contextlib
import os
import pathlib
import select
import socket
import ssl
import sys
import tempfile
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "Tests/IntegrationTests"))
ARGUMENTS = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ARGUMENTS.add_argument("program")
ARGUMENTS.add_argument("--count", type=int, default=1000, help="connections of each attack (1000)")
OPTIONS = ARGUMENTS.parse_args() if __name__ == "__main__" else ARGUMENTS.parse_args(["dist/loopbridge"])
os.environ["LOOPBRIDGE_PROGRAM"] = OPTIONS.program

from support.apps import App, silent  # noqa: E402  (needs the path above)
from support.configuration import ConfigurationFile, route  # noqa: E402
from support.loopbridge import Loopbridge  # noqa: E402
from support.namespaces import Namespace  # noqa: E402
from support.sockets import connect, reset  # noqa: E402
from support.tls import Authority  # noqa: E402

HOST = "127.0.0.1"
TCP, HTTP, TLS, PROXY, DENIED, ENDLESS, UDP, GUARDED = 8080, 8081, 8443, 8082, 8083, 8084, 5353, 8085
HEAD = b"GET / HTTP/1.1\r\nHost: threat.example\r\n"
# The output of `htpasswd -B -C 5` for `secret`.
PASSWORDS = "anna:$2y$05$abcdefghijklmnopqrstuuQFY/tYBYVDUrC8T2tVFcoxBPtEX8ZzS\n"


class Attack:
    """One way to be a nuisance, by many connections: `begin` makes one and returns it, or None where it is over."""

    def __init__(self, name, begin, sent=0, bound=""):
        self.name, self.begin, self.sent, self.bound = name, begin, sent, bound


def says(port, words, answered=False):
    """Connects and says so much; reads what comes back where there is an answer to be had."""
    def begin(namespace):
        client = connect(namespace, HOST, port)
        if words:
            client.sendall(words)
        if not answered:
            return client
        with client, contextlib.suppress(ConnectionResetError):
            while part := client.recv(65536):
                received.count += len(part)
        return None
    return begin


class received:
    """Returns the number of bytes that have come back."""
    count = 0


def resets(namespace):
    reset(connect(namespace, HOST, TCP))


def is_denied(namespace):
    client = namespace.socket()
    with client, contextlib.suppress(ConnectionResetError):
        client.connect((HOST, DENIED))
        client.recv(1)


def shakes_hands(namespace):
    """A whole handshake; the client costs more than we do."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made.wrap_socket(connect(namespace, HOST, TLS), server_hostname="threat.example")


def client_hello():
    """The first record of a handshake."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = made.wrap_bio(incoming, outgoing, server_hostname="threat.example")
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def takes_nothing(namespace):
    """Asks for a stream without an end, and reads none of it."""
    client = namespace.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect((HOST, ENDLESS))
    return client


def pipelines(namespace):
    """Asks again and again, and reads no answer."""
    client = namespace.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect((HOST, HTTP))
    client.setblocking(False)
    with contextlib.suppress(BlockingIOError, ConnectionResetError):
        for _ in range(200):
            client.send(HEAD + b"X: y\r\n\r\n")
    return client


def floods(namespace):
    client = namespace.socket(kind=socket.SOCK_DGRAM)
    client.sendto(b"x", (HOST, UDP))
    return client


def endless(connection):
    while True:
        connection.send(bytes(1 << 16))


def attacks():
    hello = client_hello()
    many = HEAD + b"".join(b"X-%d: y\r\n" % number for number in range(90))
    wrong = HEAD + b"Authorization: Basic YW5uYTp3cm9uZw==\r\n\r\n"
    return [
        Attack("TCP: connects, says nothing", says(TCP, b""), bound="max_connections, idle_timeout"),
        Attack("TCP: connects and resets", resets, bound="per_client.rate"),
        Attack("TCP: is not allowed (deny)", is_denied, bound="a filter in the kernel past 1,000 a second"),
        Attack("TCP: reads nothing of an endless stream", takes_nothing, bound="32 MiB a worker for all"),
        Attack("HTTP: one byte of a head", says(HTTP, b"G"), 1, "http.head_timeout"),
        Attack("HTTP: a head of 90 fields without its end", says(HTTP, many), len(many), "limits of the head"),
        Attack("HTTP: no HTTP, gets an answer", says(HTTP, b"\x00\r\n\r\n", True), 5, "one answer, then closed"),
        Attack("HTTP: pipelined requests, reads no answer", pipelines, 200 * (len(HEAD) + 8), "one request at a time"),
        Attack("HTTP: a wrong password", says(GUARDED, wrong + b"\r\n", True), len(wrong), "one thread for all passwords"),
        Attack("TLS: half a hello", says(TLS, hello[:len(hello) // 2]), len(hello) // 2, "tls.handshake_timeout"),
        Attack("TLS: a hello, nothing more", says(TLS, hello), len(hello), "tls.handshake_timeout"),
        Attack("TLS: a whole handshake, then nothing", shakes_hands, len(hello) + 80, "idle_timeout"),
        Attack("PROXY: a header without its end", says(PROXY, b"PROXY TCP4 1"), 12, "header_timeout"),
        Attack("UDP: one byte, each from another port", floods, 1, "max_connections, 60 s"),
    ]


@contextlib.contextmanager
def running(folder):
    """A program with a route for each attack, and its namespace."""
    pair = Authority(folder).issue("server", "DNS:threat.example")
    passwords = folder / "htpasswd"
    passwords.write_text(PASSWORDS)
    configuration = ConfigurationFile(
        folder,
        route(TCP, 8000), route(HTTP, 8000, protocol="http"), route(DENIED, 8000, deny="0.0.0.0/0"),
        route(TLS, 8000, tls=f"{{ certificate: {pair.certificate}, key: {pair.key} }}"),
        route(PROXY, 8000, proxy_protocol="{ accept: true, trusted_proxies: 127.0.0.0/8 }"),
        route(ENDLESS, 8001), route(UDP, 5300, protocol="udp"),
        route(GUARDED, 8000, protocol="http", http=f"{{ basic_auth: {{ file: {passwords} }} }}"),
        workers=1)
    namespace = Namespace("threats")
    try:
        with App(namespace, silent), App(namespace, endless, port=8001), namespace.socket(kind=socket.SOCK_DGRAM) as app:
            app.bind((HOST, 5300))
            program = Loopbridge(namespace, "--config", configuration.path).wait_until_listening()
            try:
                yield namespace, program
                program.end()
                program.assert_clean()
            finally:
                program.kill()
    finally:
        namespace.remove()


def processor_time(program):
    """In seconds, of all threads so far."""
    total = 0
    for task in os.listdir(f"/proc/{program.pid}/task"):
        with open(f"/proc/{program.pid}/task/{task}/schedstat") as file:
            total += int(file.read().split()[0])
    return total / 1e9


def settle(program):
    """Waits until it has nothing more to do."""
    deadline = time.monotonic() + 10
    before = processor_time(program)
    while time.monotonic() < deadline:
        select.select([], [], [], 0.2)
        now = processor_time(program)
        if now - before < 0.002:
            return
        before = now


def measure(attack, count, folder):
    """Its figures for each connection: bytes of memory, seconds of processor time, and bytes that came back."""
    with running(folder) as (namespace, program):
        connections = [attack.begin(namespace) for _ in range(count // 10)]
        settle(program)
        received.count = 0
        memory, seconds = program.memory("Anonymous"), processor_time(program)
        connections += [attack.begin(namespace) for _ in range(count)]
        settle(program)
        figures = (
            max(program.memory("Anonymous") - memory, 0) / count, (processor_time(program) - seconds) / count,
            received.count / count)
        for connection in filter(None, connections):
            connection.close()
        return figures


def main():
    print("| a client that | sends | memory | for each byte | processor time | gets back | for each byte | bounded by |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |")
    for attack in attacks():
        with tempfile.TemporaryDirectory() as folder:
            memory, seconds, back = measure(attack, OPTIONS.count, pathlib.Path(folder))
        each = f"{memory / attack.sent:.1f}" if attack.sent else ""
        factor = f"{back / attack.sent:.1f}" if attack.sent and back else ""
        print(f"| {attack.name} | {attack.sent} | {memory:.0f} | {each} | {seconds * 1e6:.0f} us | {back:.0f} | {factor} "
              f"| {attack.bound} |", flush=True)


if __name__ == "__main__":
    main()
