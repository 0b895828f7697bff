"""An app that does what it is told over a Unix socket: run as `python3 child.py CONTROL_SOCKET`.

It needs nothing of the other modules, since it is a program of its own. A command is a line of JSON, and so is
the answer; the commands are the functions below.
"""

import ctypes
import json
import os
import resource
import signal
import socket
import sys
import time

PR_SET_PDEATHSIG = 1

listeners = {}
received = []


def listen(address, port, backlog=128):
    """Listens, and says when that was (on the clock that all processes share)."""
    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen(backlog)
    listeners[f"{address} {port}"] = listener
    return time.monotonic()


def listen_anywhere(address):
    """Listens at a port that the kernel chooses, and says which."""
    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    listener.bind((address, 0))
    listener.listen()
    port = listener.getsockname()[1]
    listeners[f"{address} {port}"] = listener
    return port


def close(address, port):
    listeners.pop(f"{address} {port}").close()


def _ends_with_its_parent():
    """So that nothing is left of a test that fails."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _forked(work):
    """Runs `work` in a child that stays; returns its id once the work is done."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _ends_with_its_parent()
        work()
        os.write(writer, b"%d" % os.getpid())
        while True:
            signal.pause()
    answer = int(os.read(reader, 100))
    os.close(reader)
    os.close(writer)
    return answer


def child_listens(address, port):
    return _forked(lambda: listen(address, port))


def orphan_listens(address, port):
    """As a daemon does: the process that listens has lost its parent before."""
    reader, writer = os.pipe()
    between = os.fork()
    if between == 0:
        between = os.getpid()
        if os.fork() == 0:
            while os.getppid() == between:
                time.sleep(0.001)
            listen(address, port)
            os.write(writer, b"%d" % os.getpid())
            parent = os.getppid()
            while os.getppid() == parent:
                time.sleep(0.02)
            os._exit(0)
        os._exit(0)
    os.waitpid(between, 0)
    return int(os.read(reader, 100))


def make_orphans(count):
    """Leaves so many processes behind, each of which ends at once; returns when all of them have."""
    reader, writer = os.pipe()
    between = os.fork()
    if between == 0:
        between = os.getpid()
        os.close(reader)
        for _ in range(count):
            if os.fork() == 0:
                while os.getppid() == between:
                    time.sleep(0.001)
                os._exit(0)
        os._exit(0)
    os.close(writer)
    os.waitpid(between, 0)
    os.read(reader, 1)  # ends when the last of them has
    os.close(reader)


def catch(signals):
    """Notes these signals from now on instead of doing what they usually do."""
    for number in signals:
        signal.signal(number, lambda number, _: received.append(number))


def caught():
    return received


def end(code):
    os._exit(code)


def end_by(number):
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(number, signal.SIG_DFL) if number not in (signal.SIGKILL, signal.SIGSTOP) else None
    os.kill(os.getpid(), number)


def process():
    return {"pid": os.getpid(), "parent": os.getppid(), "group": os.getpgrp()}


def main(path):
    control = socket.socket(socket.AF_UNIX)
    control.bind(path)
    control.listen()
    while True:
        connection, _ = control.accept()
        with connection, connection.makefile("rw") as lines:
            for line in lines:
                name, arguments = json.loads(line)
                try:
                    answer = {"value": globals()[name](*arguments)}
                except OSError as error:
                    answer = {"error": str(error)}
                lines.write(json.dumps(answer) + "\n")
                lines.flush()


if __name__ == "__main__":
    main(sys.argv[1])
