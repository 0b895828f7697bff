"""Every signal, sent to `serve` and `auto` at any moment: a documented exit code, and never the signal's own default."""

import os
import random
import signal
import time

import pytest

from support.apps import App, AppInHand, echo
from support.loopbridge import Loopbridge
from support.namespaces import Cable
from support.pairs import Pairs
from support.sockets import connect, read_exactly, read_to_end
from support.waiting import wait_until

STOP = [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGPWR, signal.SIGXCPU]
HARMLESS = [
    signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF, signal.SIGIO, signal.SIGPIPE,
    signal.SIGXFSZ, signal.SIGTTIN, signal.SIGTTOU, signal.SIGCHLD, signal.SIGURG, signal.SIGWINCH, signal.SIGCONT,
    signal.SIGHUP, 16, signal.SIGRTMIN, signal.SIGRTMIN + 3, signal.SIGRTMAX]


def carries(outside):
    with connect(outside, Cable.CONTAINER, 8080) as client:
        client.sendall(b"x")
        return read_exactly(client, 1) == b"x"


@pytest.mark.parametrize("number", STOP)
def test_drains(container, outside, loopbridge, number):
    program = loopbridge("--drain", "20s", "8080:8000")
    with AppInHand(container) as in_hand:
        client, app = Pairs(program, outside, container, in_hand).make()
        program.signal(number)
        program.wait_for_message(f"{signal.Signals(number).name}: closing the listeners")
        client.sendall(b"still")
        assert read_exactly(app, 5) == b"still"
        client.close()
        app.close()
        assert program.wait() == 0


@pytest.mark.parametrize("number", STOP)
def test_the_second_one_ends_it_at_once(container, outside, loopbridge, number):
    program = loopbridge("--drain", "60s", "8080:8000")
    with AppInHand(container) as in_hand:
        client, app = Pairs(program, outside, container, in_hand).make()
        program.signal(signal.SIGTERM)
        program.wait_for_message("closing the listeners")
        program.signal(number)
        assert program.wait() == 0
        for connection in (client, app):
            assert isinstance(read_to_end(connection)[1], ConnectionResetError)


def test_no_other_one_does_anything(container, outside, loopbridge):
    program = loopbridge("8080:8000")
    with App(container, echo), connect(outside, Cable.CONTAINER, 8080) as client:
        for number in HARMLESS * 2:
            program.signal(number)
            client.sendall(b"x")
            assert read_exactly(client, 1) == b"x"
            assert program.is_running, number
        assert carries(outside)
    assert program.terminate() == 0


def test_auto_obeys_likewise(container, outside, auto):
    program = auto()
    with App(container, echo):
        wait_until(lambda: program.bridged() == [8000], "it is bridged")
        for number in HARMLESS:
            program.signal(number)
        program.wait_for_message("status: running")
        with connect(outside, Cable.CONTAINER, 8000) as client:
            client.sendall(b"x")
            assert read_exactly(client, 1) == b"x"
        program.signal(signal.SIGQUIT)
        assert program.wait() == 0


def test_the_status_comes_in_the_log(container, outside, loopbridge):
    program = loopbridge("8080:8000", "8081:8001/http")
    with App(container, echo), connect(outside, Cable.CONTAINER, 8080) as client:
        client.sendall(b"x")
        read_exactly(client, 1)
        program.signal(signal.SIGUSR1)
        program.wait_for_message("status of a route", count=2)
        [status] = program.messages("status: running")
        assert status["connections"] == 1 and status["routes"] == 2
        first, second = program.messages("status of a route")
        assert (first["route"], first["connections"], first["app"]) == ("0.0.0.0:8080", 1, "up")
        assert (second["route"], second["connections"], second["app"]) == ("0.0.0.0:8081", 0, "down")


def test_the_status_comes_as_text(container):
    program = Loopbridge(container, "--log-format", "text", "8080:8000", "8081:8001/http", serve=False)
    try:
        wait_until(lambda: any("localhost:8001" in line for line in program.noise), "it listens")
        program.signal(signal.SIGUSR1)
        wait_until(lambda: sum("status of a route" in line for line in program.noise) == 2, "a line for each route")
        assert any("status: running" in line for line in program.noise)
        assert program.terminate() == 0
    finally:
        program.kill()


def wait_for_handlers(pid):
    """Until the program handles SIGTERM: between its exec and that moment the kernel does by default, which is nobody's to
    change."""
    def handled():
        try:
            with open(f"/proc/{pid}/comm") as comm, open(f"/proc/{pid}/status") as status:
                caught = next(int(line.split()[1], 16) for line in status if line.startswith("SigCgt:"))
                return "loopbridge" in comm.read() and caught >> (signal.SIGTERM - 1) & 1
        except (FileNotFoundError, ProcessLookupError):
            return True

    wait_until(handled, "it handles SIGTERM", interval=0.0005)


@pytest.mark.limit(200)
@pytest.mark.parametrize("moment", ["start", "listening", "draining"])
def test_fifty_in_a_row(container, outside, moment):
    """At whichever moment they come: exit code 0."""
    rounds = random.Random(15)
    for round in range(12):
        program = Loopbridge(container, "--drain", "10s", "8080:8000")
        try:
            if moment == "start":
                wait_for_handlers(program.pid)
                time.sleep(rounds.random() * 0.03)  # anywhere in the start; nothing depends on where
            else:
                program.wait_until_listening()
            with App(container, echo):
                client = None
                if moment == "draining":
                    client = connect(outside, Cable.CONTAINER, 8080)
                    client.sendall(b"x")
                    read_exactly(client, 1)
                    program.signal(signal.SIGTERM)
                    program.wait_for_message("closing the listeners")
                for _ in range(50):
                    try:
                        os.kill(program.pid, signal.SIGTERM)
                    except ProcessLookupError:
                        break
                    if round % 2:
                        time.sleep(0.0005)  # so that the program gets on meanwhile
                assert program.wait() == 0, (round, program.describe())
                assert len(program.messages("again: ending at once")) <= 1
                if client:
                    client.close()
            program.assert_clean()
        finally:
            program.kill()


@pytest.mark.limit(120)
def test_signals_of_all_kinds_while_it_ends(container):
    for round in range(10):
        program = Loopbridge(container, "8080:8000")
        try:
            program.wait_until_listening()
            for number in [signal.SIGTERM, *HARMLESS, *STOP] * 5:
                try:
                    os.kill(program.pid, number)
                except ProcessLookupError:
                    break
            assert program.wait() == 0
        finally:
            program.kill()


def test_a_start_that_is_stopped_ends_at_once(container):
    """There is nothing to finish yet: the call that makes the loops takes long."""
    delay = ("strace", "-f", "-o", "/dev/null", "-e", "inject=epoll_create1:delay_enter=2000000")
    program = Loopbridge(container, "8080:8000", wrapper=delay)
    try:
        [pid] = wait_until(lambda: children(program.pid), "it is started")
        wait_for_handlers(pid)
        os.kill(pid, signal.SIGTERM)
        assert program.wait() == 0
        assert not program.log
    finally:
        program.kill()


def children(pid):
    """Those that are loopbridge: strace has others for a moment, to find out what the kernel can do."""
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split() if name_of_process(child) == "loopbridge"]


def name_of_process(pid):
    try:
        with open(f"/proc/{pid}/comm") as file:
            return file.read().strip()
    except (FileNotFoundError, ProcessLookupError):
        return None


@pytest.mark.limit(120)
@pytest.mark.parametrize("code", [0, 7])
def test_a_wrapper_ends_as_its_app_whatever_comes_at_the_end(container, run, code):
    """The app decides the exit code; what is sent when it has been decided changes nothing."""
    for _ in range(5):
        program = run(["/bin/sh", "-c", f"trap 'exit {code}' TERM; echo ready; while :; do sleep 0.05; done"], noisy=True)
        wait_until(lambda program=program: "ready" in program.noise, "the app is there")
        for _ in range(50):
            try:
                os.kill(program.pid, signal.SIGTERM)
            except ProcessLookupError:
                break
            time.sleep(0.001)  # so that both get on meanwhile
        assert program.wait() == code
        program.noise.clear()
