"""The log never stands in the way of the traffic."""

import fcntl
import json
import os

from support.apps import App, echo
from support.namespaces import Cable
from support.processes import Process
from support.settings import PROGRAM
from support.sockets import connect, read_exactly
from support.waiting import wait_until


def talk(outside, count):
    for _ in range(count):
        with connect(outside, Cable.CONTAINER, 8080) as client:
            client.sendall(b"hello")
            assert read_exactly(client, 5) == b"hello"


def test_access_log(container, outside, loopbridge):
    program = loopbridge("8080:8000")
    with App(container, echo):
        with connect(outside, Cable.CONTAINER, 8080) as client:
            client.sendall(b"hello")
            assert read_exactly(client, 5) == b"hello"
            port = client.getsockname()[1]
    line = program.wait_for_closed()
    assert line["client"] == f"{Cable.OUTSIDE}:{port}"
    assert line["upstream"] == "127.0.0.1:8000"
    assert (line["to_app"], line["to_client"], line["end"]) == (5, 5, "finished")
    assert line["level"] == "info" and line["time"].endswith("Z")


def test_access_log_off(container, outside, loopbridge):
    program = loopbridge("--access-log", "false", "8080:8000")
    with App(container, echo) as app:
        talk(outside, 10)
        wait_until(lambda: app.connections == 0, "the app has lost them")
    program.terminate()
    assert not program.closed()


def test_text_is_one_line_each(container, outside):
    with Process(container.command(PROGRAM, "8080:8000")) as program:
        wait_until(lambda: container.listens_on(8080), "it listens")
        with App(container, echo):
            talk(outside, 3)
            wait_until(lambda: program.output.count("closed") == 3, "they are logged")
        for line in program.lines:
            assert line[:4].isdigit() and line[10] == "T", line


def test_stderr_is_closed(container, outside, loopbridge):
    """Its number must not fall to a socket into which log lines would then be written."""
    program = loopbridge("8080:8000", stderr=-1, wait=False)
    wait_until(lambda: container.listens_on(8080), "it listens")
    with App(container, echo):
        talk(outside, 100)
    assert program.terminate() == 0


def test_nobody_reads_stderr(container, outside, loopbridge):
    """A full pipe: what is carried is not held up, and the process ends nevertheless."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    program = loopbridge("8080:8000", stderr=writing, wait=False)
    os.close(writing)
    wait_until(lambda: container.listens_on(8080), "it listens")
    with App(container, echo):
        talk(outside, 300)
        before = program.cpu_seconds()
        talk(outside, 1)
        assert program.cpu_seconds() - before < 0.5
    assert program.terminate() == 0
    os.close(reading)


def test_slow_reader_of_stderr_gets_whole_lines(container, outside, loopbridge):
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    program = loopbridge("8080:8000", stderr=writing, wait=False)
    os.close(writing)
    wait_until(lambda: container.listens_on(8080), "it listens")
    with App(container, echo):
        talk(outside, 200)
    with os.fdopen(reading) as pipe:
        program.signal(15)
        lines = pipe.read().splitlines()
    assert program.wait() == 0
    assert sum(json.loads(line)["message"] == "closed" for line in lines) == 200


def test_reader_of_stderr_has_left(container, outside, loopbridge):
    """A broken pipe is no reason to end."""
    reading, writing = os.pipe()
    program = loopbridge("8080:8000", stderr=writing, wait=False)
    os.close(writing)
    os.close(reading)
    wait_until(lambda: container.listens_on(8080), "it listens")
    with App(container, echo):
        talk(outside, 100)
    assert program.terminate() == 0


def test_disk_full(container, outside, loopbridge):
    """/dev/full refuses every write."""
    device = os.open("/dev/full", os.O_WRONLY)
    program = loopbridge("8080:8000", stderr=device, wait=False)
    os.close(device)
    wait_until(lambda: container.listens_on(8080), "it listens")
    with App(container, echo):
        talk(outside, 100)
        assert program.cpu_seconds() < 2
    assert program.terminate() == 0
