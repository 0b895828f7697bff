"""The log never stands in the way of the traffic."""

import fcntl
import json
import os
import threading
import time

import pytest

from support.apps import App, echo
from support.http import Client, HTTPApp, answers, get, ok
from support.namespaces import Cable
from support.processes import Process
from support.settings import LOG_SLEEP, PROGRAM
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


@pytest.mark.limit(60 + 2 * int(LOG_SLEEP))
def test_reader_that_stops_delays_nobody(container, outside, loopbridge, tmp_path):
    """The access log is on, and nobody reads it for a while: far more is said than anybody keeps."""
    reading, writing = os.pipe()
    file = tmp_path / "loopbridge.yaml"
    file.write_text("workers: 2\nroutes: [{listen: '0.0.0.0:8080', upstream: 'localhost:8000', protocol: http}]\n")
    program = loopbridge("--config", str(file), stderr=writing, wait=False)
    os.close(writing)
    wait_until(lambda: container.listens_on(8080), "it listens")
    # Long targets, so that there is more to say about each request.
    request = get("/" + "x" * 4000)
    longest, served, most = [], [], 1200
    deadline = time.monotonic() + LOG_SLEEP

    def visit():
        slowest, count = 0, 0
        with Client(outside) as client:
            while count < most or time.monotonic() < deadline:
                started = time.monotonic()
                assert client.ask(request).status == 200
                slowest = max(slowest, time.monotonic() - started)
                count += 1
        longest.append(slowest)
        served.append(count)

    with HTTPApp(container, answer=answers(ok(b"hello"))):
        visitors = [threading.Thread(target=visit) for _ in range(4)]
        for visitor in visitors:
            visitor.start()
        for visitor in visitors:
            visitor.join()
        assert len(served) == 4 and sum(served) >= 4 * most
        # A reader that wakes up finds whole lines, and how many it has missed.
        lines = []
        with os.fdopen(reading) as pipe:
            dropped = None
            for line in pipe:
                lines.append(json.loads(line))
                if dropped is None and "lines were dropped" in lines[-1]["message"]:
                    dropped = lines[-1]["lines"]
                    program.signal(15)
    assert program.wait() == 0
    written = sum(line["message"] == "request" for line in lines)
    print(f"the longest of {sum(served)} requests took {max(longest):.3f} s; {dropped} lines were dropped")
    assert dropped and written + dropped == sum(served)
    assert max(longest) < 1, "somebody has waited for the log"


def test_repeats_are_summed_up(container, outside, loopbridge):
    """An app that comes and goes: each time is worth a line, but not a hundred times a minute."""
    program = loopbridge("--hold", "50ms", "8080:8000")
    for _ in range(12):
        with pytest.raises(ConnectionResetError):
            with connect(outside, Cable.CONTAINER, 8080) as client:
                client.recv(1)
        with App(container, echo):
            talk(outside, 1)
    program.wait_for_closed(count=24)
    assert program.terminate() == 0
    said = program.messages("is not listening")
    assert [line.get("repeats") for line in said] == [None] * 5 + [7]
    assert {line["part"] for line in said} == {"upstream"}
    # Whatever is said less often is there, and all of the access log.
    assert len(program.closed()) == 24


def test_levels_of_parts(container, outside, loopbridge):
    program = loopbridge("--log-levels", "listeners=error,access=info,process=error", "--log-level", "warning",
                         "8080:8000", wait=False)
    wait_until(lambda: container.listens_on(8080), "it listens")
    with App(container, echo):
        talk(outside, 2)
    program.wait_for_closed(count=2)
    assert program.terminate() == 0
    assert {line["part"] for line in program.log} == {"access"}


def test_levels_follow_a_reload(container, outside, loopbridge, tmp_path):
    file = tmp_path / "loopbridge.yaml"
    route = "routes: [{listen: '0.0.0.0:8080', upstream: 'localhost:8000'}]\n"
    file.write_text(route)
    program = loopbridge("--config", str(file))
    file.write_text("log: {format: json, levels: {access: error}}\n" + route)
    program.signal(1)
    assert program.wait_for_message("reloaded")["part"] == "configuration"
    with App(container, echo):
        talk(outside, 5)
        # The program sees their ends a moment later, and they belong to the level before.
        wait_until(lambda: {state for _, local, _, state in container.connections() if local == 8080} <= {"0A"}, "they have ended")
        file.write_text("log: {format: json, levels: {access: info}}\n" + route)
        program.signal(1)
        program.wait_for_message("reloaded", count=2)
        talk(outside, 1)
    program.wait_for_closed()
    program.terminate()
    assert len(program.closed()) == 1


def test_what_strangers_send_is_json(container, outside, loopbridge, tmp_path):
    """Every byte that can be sent, in whichever field of the access log."""
    file = tmp_path / "loopbridge.yaml"
    file.write_text("routes: [{listen: '0.0.0.0:8080', upstream: 'localhost:8000', protocol: http}]\n")
    program = loopbridge("--config", str(file))
    count = 0
    with HTTPApp(container, answer=answers(ok())):
        for byte in range(256):
            for field in (b"User-Agent: a%cb\r\n", b"Referer: %c\r\n"):
                with Client(outside) as client:
                    client.send(get("/", field % byte)).response()
                count += 1
            with Client(outside) as client:
                client.send(b"GET /a%cb HTTP/1.1\r\nHost: x\r\n\r\n" % byte).response()
            count += 1
    program.wait_for_message("request", count=count)
    # A line that is no JSON is noise, and would fail the test.
    assert all(line["part"] == "access" for line in program.messages("request"))
