"""The yardstick relay must lose nothing and pass on every end as what it was, or its figures mean nothing.

    python3 -m pytest benchmarks/Tests

All traffic is on 127.0.0.1. LIMIT_PROGRAM names the program under test; without it the package is built.
"""

import contextlib
import hashlib
import os
import pathlib
import signal
import socket
import struct
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

PACKAGE = pathlib.Path(__file__).resolve().parent.parent
BLOCK = os.urandom(8 << 20)
GIB = 1 << 30


@pytest.fixture(scope="session")
def program():
    if given := os.environ.get("LIMIT_PROGRAM"):
        return given
    build = ["swift", "build", "-c", "release", "--package-path", PACKAGE]
    subprocess.run([*build, "--product", "limit"], check=True, stdin=subprocess.DEVNULL)
    return pathlib.Path(subprocess.check_output([*build, "--show-bin-path"], text=True).strip()) / "limit"


@pytest.fixture(autouse=True)
def limit():
    """Ends a test that hangs."""
    def fail(*_):
        raise AssertionError("the test has not ended in 120 s")

    signal.signal(signal.SIGALRM, fail)
    signal.alarm(120)
    yield
    signal.alarm(0)


class Relay:
    """A running relay, and the app's listening socket behind it."""

    def __init__(self, program, files=None):
        self.app = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.app.settimeout(60)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.address = free.getsockname()
        command = [program, "{}:{}".format(*self.address), "{}:{}".format(*self.app.getsockname())]
        if files:
            command = ["prlimit", f"--nofile={files}", *command]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while True:
            with contextlib.suppress(ConnectionRefusedError), socket.create_connection(self.address) as client:
                app, _ = self.app.accept()
                app.close()
                client.recv(1)
                return
            assert self.process.poll() is None and time.monotonic() < deadline, "it does not listen"
            time.sleep(0.01)

    def connect(self, receive_buffer=None):
        client = socket.socket()
        client.settimeout(60)
        if receive_buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        client.connect(self.address)
        return client

    def pair(self, **options):
        """A client and the app's end of the same relay; nothing else may connect meanwhile."""
        client = self.connect(**options)
        app, _ = self.app.accept()
        app.settimeout(60)
        return client, app

    def open_sockets(self):
        count = 0
        for file in pathlib.Path(f"/proc/{self.process.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                count += os.readlink(file).startswith("socket:")
        return count

    def wait_until_idle(self):
        """Waits until only the listening socket is left."""
        deadline = time.monotonic() + 10
        while self.open_sockets() != 1:
            assert time.monotonic() < deadline, f"{self.open_sockets() - 1} sockets stay open"
            time.sleep(0.01)

    def memory(self):
        """What it holds resident, in bytes."""
        return int(pathlib.Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/schedstat").read_text().split()
        return int(fields[0]) / 1e9

    def stop(self):
        assert self.process.poll() is None, f"it has ended with {self.process.returncode}"
        self.process.terminate()
        self.process.wait(10)
        self.app.close()


@pytest.fixture
def relay(program):
    relay = Relay(program)
    yield relay
    relay.stop()


def send_stream(connection, size, seed):
    """Sends `size` bytes that depend on `seed`, then the end; returns their SHA-256."""
    digest, sent, offset = hashlib.sha256(), 0, seed % len(BLOCK)
    view = memoryview(BLOCK)
    while sent < size:
        part = view[offset:offset + min(size - sent, 1 + (sent + seed) % (3 << 20))]
        connection.sendall(part)
        digest.update(part)
        sent += len(part)
        offset = (offset + 1_000_003) % (len(BLOCK) - 1)
    connection.shutdown(socket.SHUT_WR)
    return digest.hexdigest()


def receive_stream(connection, pause=0.0, part=1 << 20):
    """Receives to the clean end; returns the SHA-256."""
    digest, buffer = hashlib.sha256(), bytearray(part)
    view = memoryview(buffer)
    while count := connection.recv_into(buffer):
        digest.update(view[:count])
        if pause:
            time.sleep(pause)
    return digest.hexdigest()


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def exchange(client, app, to_app, to_client, seed=1, pause=0.0, part=1 << 20):
    """Streams both ways at once, and compares what was sent with what arrived."""
    with client, app, ThreadPoolExecutor(4) as pool:
        sent = pool.submit(send_stream, client, to_app, seed), pool.submit(send_stream, app, to_client, seed + 7)
        received = pool.submit(receive_stream, app), pool.submit(receive_stream, client, pause, part)
        assert [each.result() for each in sent] == [each.result() for each in received]


def test_a_gibibyte_each_way_arrives_unchanged(relay):
    exchange(*relay.pair(), GIB, GIB)
    relay.wait_until_idle()


def test_two_hundred_streams_with_half_closes(relay):
    """Each client ends its side first; the app answers after that, with the digest of what it received."""
    streams = 200

    def answer(app):
        with app:
            app.sendall(receive_stream(app, part=64 << 10).encode())

    def ask(seed):
        with relay.connect() as client:
            expected = send_stream(client, 100_000 + seed * 5_003, seed)
            answer = b"".join(iter(lambda: client.recv(4096), b""))
            return answer.decode() == expected

    def serve():
        with ThreadPoolExecutor(streams) as answers:
            for each in [answers.submit(answer, relay.app.accept()[0]) for _ in range(streams)]:
                each.result()

    with ThreadPoolExecutor(streams + 1) as pool:
        server = pool.submit(serve)
        assert all(pool.map(ask, range(streams)))
        server.result()
    relay.wait_until_idle()


@pytest.mark.parametrize("in_mid_stream", [False, True])
@pytest.mark.parametrize("by_client", [False, True])
def test_a_reset_arrives_as_a_reset_after_what_was_said(relay, by_client, in_mid_stream):
    for _ in range(50):
        client, app = relay.pair()
        left, stays = (client, app) if by_client else (app, client)
        if in_mid_stream:
            left.sendall(b"truncated")
            received = b""
            while len(received) < 9:
                received += stays.recv(100)
            assert received == b"truncated"
        reset(left)
        with stays, pytest.raises(ConnectionResetError):
            stays.recv(1)
    relay.wait_until_idle()


def test_a_reset_follows_a_half_close(relay):
    for _ in range(50):
        client, app = relay.pair()
        client.shutdown(socket.SHUT_WR)
        assert app.recv(1) == b""
        reset(client)
        with app, pytest.raises((ConnectionResetError, BrokenPipeError)):
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                app.send(b"anybody there?")
                time.sleep(0.001)
    relay.wait_until_idle()


def test_bytes_and_end_that_come_together(relay):
    for _ in range(500):
        client, app = relay.pair()
        with client, app:
            app.sendall(b"answer")
            app.shutdown(socket.SHUT_WR)
            assert client.recv(100, socket.MSG_WAITALL) == b"answer"
            client.sendall(b"thanks")
            client.shutdown(socket.SHUT_WR)
            assert app.recv(100, socket.MSG_WAITALL) == b"thanks"
    relay.wait_until_idle()


def test_bytes_behind_an_urgent_byte_arrive(relay):
    """A receive stops short at it, which must not be taken for an empty socket."""
    client, app = relay.pair()
    with client, app:
        for _ in range(200):
            client.sendall(b"before")
            client.send(b"!", socket.MSG_OOB)
            client.sendall(b"after")
            received = b""
            while len(received) < 11:
                received += app.recv(100)
            assert received.replace(b"!", b"") == b"beforeafter"


def test_a_slow_reader_gets_everything_and_costs_little(relay):
    client, app = relay.pair(receive_buffer=16 << 10)
    before = relay.memory()
    sender = ThreadPoolExecutor(1).submit(send_stream, app, 64 << 20, 3)
    digest, taken, most = hashlib.sha256(), 0, 0
    with client, app:
        while part := client.recv(256 << 10):
            digest.update(part)
            taken += len(part)
            if taken < 4 << 20:
                time.sleep(0.005)
            most = max(most, relay.memory())
        assert digest.hexdigest() == sender.result()
    assert most - before < 8 << 20
    relay.wait_until_idle()


def test_readers_that_stop_cost_no_cpu_time_and_hold_nobody_up(relay):
    pairs = [relay.pair() for _ in range(20)]
    threads = [threading.Thread(target=send_stream, args=(app, 32 << 20, 5)) for _, app in pairs]
    for thread in threads:
        thread.start()
    exchange(*relay.pair(), 8 << 20, 8 << 20)
    # Until all buffers are full, and nothing moves any more.
    deadline, used = time.monotonic() + 30, -1.0
    while (now := relay.cpu_seconds()) != used:
        assert time.monotonic() < deadline, "it never comes to rest"
        used = now
        time.sleep(0.3)
    exchange(*relay.pair(), 1 << 20, 1 << 20)
    for client, app in pairs:
        receive_stream(client)
    for thread in threads:
        thread.join(30)
    for connection in sum(pairs, ()):
        connection.close()
    relay.wait_until_idle()


def test_an_app_that_refuses_resets_the_client(relay):
    relay.app.close()
    for _ in range(50):
        with pytest.raises(ConnectionResetError), relay.connect() as client:
            client.recv(1)
    relay.wait_until_idle()


def test_clients_wait_while_it_is_out_of_descriptors(program):
    relay = Relay(program, files=25)
    first = [relay.pair() for _ in range(9)]
    waiting = [relay.connect() for _ in range(9)]
    used = relay.cpu_seconds()
    time.sleep(0.3)
    assert relay.cpu_seconds() - used < 0.1, "it looks at the waiting clients again and again"
    for connection in sum(first, ()):
        connection.close()
    for client in waiting:
        app, _ = relay.app.accept()
        with app:
            app.sendall(b"your turn")
    assert [client.recv(100) for client in waiting] == [b"your turn"] * 9
    for client in waiting:
        client.close()
    relay.wait_until_idle()
    relay.stop()
