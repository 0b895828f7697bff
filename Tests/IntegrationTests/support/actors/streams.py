"""Fifty streams at once, and how long each of them stood still: run as `python3 streams.py app|clients ...`.

Both ends are programs of their own with one thread each, so that what is measured is not the test's own threads
waiting for each other. They need nothing of the other modules.

    streams.py app PORT                     sends zeroes to whoever connects, as fast as it goes
    streams.py clients HOST PORT COUNT      reads from COUNT connections; at the end of its standard input it stops

The clients' output is a line of JSON for each pause of a stream of more than PAUSE seconds, {"start": ..., "end": ...}
on the clock that all processes share, then one {"failures": ..., "bytes": ...}.
"""

import json
import selectors
import socket
import sys
import time

PAUSE = 0.05


def app(port):
    listener = socket.create_server(("127.0.0.1", port), backlog=100)
    listener.setblocking(False)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    block = bytes(64 << 10)
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                connection, _ = listener.accept()
                connection.setblocking(False)
                selector.register(connection, selectors.EVENT_WRITE)
                continue
            try:
                key.fileobj.send(block)
            except BlockingIOError:
                pass
            except OSError:
                selector.unregister(key.fileobj)
                key.fileobj.close()


def clients(host, port, count):
    selector = selectors.DefaultSelector()
    selector.register(sys.stdin, selectors.EVENT_READ)
    last = {}
    for _ in range(count):
        connection = socket.create_connection((host, port), 10)
        connection.setblocking(False)
        selector.register(connection, selectors.EVENT_READ)
        last[connection] = time.monotonic()
    print("ready", flush=True)
    buffer = bytearray(256 << 10)
    failures, moved = 0, 0
    while True:
        ready = selector.select(1)
        for key, _ in ready:
            if key.fileobj is sys.stdin:
                print(json.dumps({"failures": failures, "bytes": moved}), flush=True)
                return
            try:
                received = key.fileobj.recv_into(buffer)
            except BlockingIOError:
                continue
            except OSError:
                received = 0
            if received == 0:
                failures += 1
                selector.unregister(key.fileobj)
                continue
            moved += received
            now = time.monotonic()
            if now - last[key.fileobj] > PAUSE:
                print(json.dumps({"start": last[key.fileobj], "end": now}), flush=True)
            last[key.fileobj] = now


if __name__ == "__main__":
    if sys.argv[1] == "app":
        app(int(sys.argv[2]))
    else:
        clients(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
