#!/usr/bin/python3
"""Counts the instructions of its own that a program spends on what it relays, by valgrind's callgrind.

    benchmarks/instructions.py before/loopbridge after/loopbridge

Each program relays the same requests, one at a time, to an app in this process. Counting a short and a long run, and
dividing what the long one takes more by its requests more, leaves the start and the end out. Of two programs, the second
is compared with the first, and may take --limit per cent more at the most.

Callgrind counts what the program does itself, not what the kernel does for it. A program with Swift's debugging
information is too much for Debian's valgrind: strip it first (strip -g).
"""

import argparse
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

MESSAGE = b"x" * 64
HEAD_END = b"\r\n\r\n"
REQUEST = (
    b"GET /status?of=everything HTTP/1.1\r\nHost: bench.example:8080\r\nUser-Agent: instructions/1\r\n"
    b"Accept: text/html,application/json;q=0.9,*/*;q=0.8\r\nAccept-Encoding: gzip, br\r\nConnection: keep-alive\r\n\r\n"
)
BODY = b'{"status": "fine"}\n' * 5
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nServer: app\r\n"
    b"Cache-Control: no-cache\r\n\r\n" % len(BODY) + BODY
)


def receive(connection, is_whole):
    """Returns the bytes that have arrived once they are whole; none at the end of the connection."""
    received = b""
    while not is_whole(received):
        piece = connection.recv(65536)
        if not piece:
            return b""
        received += piece
    return received


def is_whole_message(received):
    return len(received) >= len(MESSAGE)


def is_whole_request(received):
    return received.endswith(HEAD_END)


def is_whole_answer(received):
    return received.endswith(BODY)


class App(threading.Thread):
    """Answers on every connection until that ends."""

    def __init__(self, is_whole, answer):
        super().__init__(daemon=True)
        self.is_whole = is_whole
        self.answer = answer
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            connection, _ = self.listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=[connection], daemon=True).start()

    def serve(self, connection):
        with connection:
            while receive(connection, self.is_whole):
                connection.sendall(self.answer)


class Scenario:
    def __init__(self, name, protocol, closes, request, answer, is_whole_request, is_whole_answer):
        self.name = name
        self.protocol = protocol
        self.closes = closes
        self.request = request
        self.app = App(is_whole_request, answer)
        self.is_whole_answer = is_whole_answer

    def connect(self, port):
        connection = socket.create_connection(("127.0.0.1", port), timeout=60)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def ask(self, connection):
        connection.sendall(self.request)
        if not receive(connection, self.is_whole_answer):
            sys.exit(f"{self.name}: the connection ended without an answer")

    def load(self, port, requests):
        if not self.closes:
            with self.connect(port) as connection:
                for _ in range(requests):
                    self.ask(connection)
            return
        for _ in range(requests):
            with self.connect(port) as connection:
                self.ask(connection)
                connection.shutdown(socket.SHUT_WR)
                # So that one connection is done with before the next one comes, every time.
                receive(connection, lambda _: False)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def instructions(program, scenario, requests, folder, options):
    """Returns the instructions of the program's whole life, with so many requests in it."""
    port = free_port()
    counts = pathlib.Path(folder, "callgrind.out")
    route = f"127.0.0.1:{port}:127.0.0.1:{scenario.app.port}/{scenario.protocol}"
    # --access-log false: to write lines is work too, and is not what is compared.
    command = [
        "valgrind", "--tool=callgrind", f"--callgrind-out-file={counts}", "--quiet", program,
        "--workers", "1", "--access-log", "false", "--log-level", "error", *options, route,
    ]
    # Tables that are laid out anew at each start would make each start cost something else.
    environment = {**os.environ, "SWIFT_DETERMINISTIC_HASHING": "1"}
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=environment)
    try:
        wait_until_it_listens(process, port)
        scenario.load(port, requests)
        # It has ended its side of the last connection some time after we have.
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        if process.wait(timeout=60) != 0:
            sys.exit(f"{program}: exit code {process.returncode}")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    return int(re.search(r"^(?:summary|totals): (\d+)", counts.read_text(), re.MULTILINE).group(1))


def wait_until_it_listens(process, port):
    """Without connecting, which would be counted."""
    wanted = f"0100007F:{port:04X}"
    for _ in range(600):
        if process.poll() is not None:
            sys.exit(f"exit code {process.returncode} before it listened")
        lines = pathlib.Path("/proc/net/tcp").read_text().splitlines()
        if any(line.split()[1] == wanted and line.split()[3] == "0A" for line in lines[1:]):
            return
        time.sleep(0.1)
    sys.exit("it does not listen")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="+", metavar="PROGRAM", help="one, or one to be compared and what with")
    parser.add_argument("--requests", type=int, default=2000, help="how many are measured (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="of which the best counts (%(default)s)")
    parser.add_argument("--limit", type=float, help="fail if the second program takes so many per cent more")
    parser.add_argument("--option", action="append", default=[], help="one more option for the programs")
    arguments = parser.parse_args()
    if len(arguments.programs) > 2:
        parser.error("at most two programs can be compared")

    scenarios = [
        Scenario("TCP, kept connection", "tcp", False, MESSAGE, MESSAGE, is_whole_message, is_whole_message),
        Scenario("TCP, closing connections", "tcp", True, MESSAGE, MESSAGE, is_whole_message, is_whole_message),
        Scenario("HTTP, kept connection", "http", False, REQUEST, ANSWER, is_whole_request, is_whole_answer),
    ]
    few = arguments.requests // 4
    is_too_much = False
    print("instructions per request".ljust(28), *(pathlib.Path(p).parent.name.rjust(14) for p in arguments.programs))
    for scenario in scenarios:
        figures = []
        for program in arguments.programs:
            with tempfile.TemporaryDirectory() as folder:
                # Chance, such as events that come one by one or together, adds instructions and never takes any away.
                short, long = (
                    min(instructions(program, scenario, count, folder, arguments.option)
                        for _ in range(arguments.rounds))
                    for count in (few, few + arguments.requests))
            figures.append((long - short) / arguments.requests)
        line = [scenario.name.ljust(28), *(f"{figure:14.1f}" for figure in figures)]
        if len(figures) == 2:
            more = (figures[1] / figures[0] - 1) * 100
            line.append(f"{more:+8.2f} %")
            is_too_much = is_too_much or (arguments.limit is not None and more > arguments.limit)
        print(*line, flush=True)
    sys.exit(1 if is_too_much else 0)


if __name__ == "__main__":
    main()
