"""SIGHUP: settings of the whole program, moments at which it comes, and `run` and `auto`."""

import os
import signal
import time

import pytest

from support.apps import App, AppInHand, echo, greets
from support.configuration import ConfigurationFile, route
from support.namespaces import Cable
from support.pairs import Pairs
from support.reloading import ask, reload, reloadable
from support.sockets import connect, read_exactly, read_to_end
from support.waiting import stays_true, wait_until
from support.wrapped import Child


def test_global_settings(container, outside, reloadable):
    program, file = reloadable(route(8080, 8000), drain="60s", options=["--workers", "1"])
    with AppInHand(container) as in_hand:
        pairs = Pairs(program, outside, container, in_hand)
        client, app = pairs.make()
        file.set(route(8080, 8000), drain="500ms", log="{ access: false }")
        assert reload(program) == "reloaded: 1 route unchanged; changed besides: log, drain"
        app.close()
        assert read_to_end(client) == (b"", None)
        client.close()
        file.set(route(8080, 8000), drain="500ms")
        reload(program)
        client, app = pairs.make()
        app.close()
        client.close()
        program.wait_for_closed()
        # Of the two that have ended, only the one with the access log on is told.
        assert len(program.closed()) == 1
        last, _ = pairs.make()
        started = time.monotonic()
        assert program.terminate() == 0
        assert time.monotonic() - started < 10
        assert isinstance(read_to_end(last)[1], ConnectionResetError)


def test_log_level_and_format(loopbridge, tmp_path):
    file = ConfigurationFile(tmp_path, route(8080, 8000), log="{ level: error, format: json }")
    program = loopbridge("--config", file.path, serve=False, wait=False)
    wait_until(lambda: os.path.exists(f"/proc/{program.pid}/task") and "worker-0" in program.tasks().values(), "it runs")
    file.set(route(8080, 8000), log="{ level: info, format: json }")
    wait_until(lambda: _sighup_is_caught(program), "it has taken over the signals")
    reload(program)
    file.set(route(8080, 8000), log="{ level: info, format: text }")
    program.signal(signal.SIGHUP)
    wait_until(lambda: any("reloaded: 1 route unchanged" in line for line in program.noise), "a line of text")
    file.set(route(8080, 8000), log="{ level: info, format: json }")
    reload(program)
    assert all("info" in line for line in program.noise)
    program.noise.clear()


def _sighup_is_caught(program):
    with open(f"/proc/{program.pid}/status") as file:
        caught = next(int(line.split()[1], 16) for line in file if line.startswith("SigCgt"))
    return caught & (1 << (signal.SIGHUP - 1))


def test_the_number_of_workers_takes_a_restart(reloadable):
    program, file = reloadable(route(8080, 8000), workers=1)
    file.set(route(8080, 8000), workers=2)
    for count in (1, 2):
        reload(program)
        warning = program.wait_for_message("workers changes only with a restart", count=count)
        assert warning["level"] == "warning" and (warning["running"], warning["configured"]) == ("1", "2")
    assert len([name for name in program.tasks().values() if name.startswith("worker")]) == 1


def test_reload_during_the_drain_is_ignored(container, outside, reloadable):
    program, file = reloadable(route(8080, 8000), drain="30s")
    with AppInHand(container) as in_hand:
        client, app = Pairs(program, outside, container, in_hand).make()
        program.signal(signal.SIGTERM)
        wait_until(lambda: not container.listens_on(8080), "the listeners are closed")
        file.set(route(8080, 8000), route(8081, 8000), drain="30s")
        program.signal(signal.SIGHUP)
        program.wait_for_message("not reloaded: stopping")
        assert not container.listens_on(8080) and not container.listens_on(8081)
        client.sendall(b"hello")
        assert read_exactly(app, 5) == b"hello"
        client.close()
        app.close()
        assert program.wait() == 0


def test_a_storm_of_signals(container, outside, reloadable):
    """A thousand of them while the file changes: the last file holds, and nothing is left of the others."""
    program, file = reloadable(route(8080, 8000, "stays"), route(8081, 8002, "changes"))
    with App(container, echo), App(container, greets(b"last"), port=8001), \
            App(container, greets(b"first"), port=8002), \
            connect(outside, Cable.CONTAINER, 8080) as client:
        client.sendall(b"hello")
        read_exactly(client, 5)
        descriptors = program.open_descriptors()
        for turn in range(1000):
            if turn % 20 == 0:
                file.set(route(8080, 8000, "stays"), route(8081, 8002, "changes", hold=f"{turn + 1}s"),
                         *([route(8082, 8000, "new")] if turn % 40 == 0 else []))
            program.signal(signal.SIGHUP)
        file.set(route(8080, 8000, "stays"), route(8081, 8001, "changes"))
        reload(program)
        wait_until(lambda: ask(outside, 8081) == b"last hello", "the last file holds")
        wait_until(lambda: not container.listens_on(8082), "the new route has gone again")
        client.sendall(b"hello")
        assert read_exactly(client, 5) == b"hello"
        wait_until(lambda: program.open_descriptors() == descriptors, "nothing is left open")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_limit_of_open_files_follows_the_listeners(container, outside, reloadable, workers):
    """More listeners leave room for fewer connections; it is not reached at a connection's cost."""
    program, file = reloadable(
        route(8080, 8000, "web"), options=["--workers", workers], wrapper=["prlimit", "--nofile=200:200"])
    extra = [route(f'"{Cable.CONTAINER}:{9000 + number}"', 8000, f"r{number}") for number in range(40)]
    with App(container, echo) as app:
        file.set(route(8080, 8000, "web"), *extra)
        reload(program)
        clients = [connect(outside, Cable.CONTAINER, 8080) for _ in range(100)]
        program.wait_for_message("limit of open files is reached")
        many = program.messages("limit of open files is reached")[-1]["connections"]
        wait_until(lambda: app.connections == many, "those who fit are there")
        stays_true(lambda: app.connections == many, "no more get in", 0.3)
        # Without the listeners there is room for more.
        file.set(route(8080, 8000, "web"))
        reload(program)
        wait_until(lambda: app.connections > many + 10 * int(workers), "more get in")
        assert not program.messages("cannot accept connections"), program.describe()
        for client in clients:
            client.close()


def test_auto_takes_new_defaults_and_routes(container, outside, tmp_path, run):
    """Its bridges work by the new defaults, and leave a port to a route that comes to have it."""
    file = ConfigurationFile(tmp_path, defaults="{ idle_timeout: 1h }")
    file.replace("defaults: { idle_timeout: 1h }\n")
    program = run(None, "--config", file.path, subcommand="auto")
    with App(container, echo), App(container, greets(b"app"), port=8001), App(container, greets(b"other"), port=9001):
        wait_until(lambda: sorted(program.bridged()) == [8000, 8001, 9001], "all are bridged")
        with connect(outside, Cable.CONTAINER, 8000) as old:
            file.replace("defaults: { idle_timeout: 500ms }\n")
            assert reload(program) == "reloaded: no routes; changed besides: defaults"
            with connect(outside, Cable.CONTAINER, 8000) as new:
                new.sendall(b"hello")
                assert read_exactly(new, 5) == b"hello"
                assert isinstance(read_to_end(new)[1], ConnectionResetError)
            old.sendall(b"hello")
            assert read_exactly(old, 5) == b"hello"
        file.set(route(f'"{Cable.CONTAINER}:8001"', 9001, "mine"))
        assert reload(program) == "reloaded: 1 route added; changed besides: defaults"
        wait_until(lambda: _answers(outside, 8001) == b"other hello", "the route has the port")
        stays_true(lambda: _answers(outside, 8001) == b"other hello", "and keeps it", 0.5)


def _answers(outside, port):
    try:
        return ask(outside, port)
    except ConnectionRefusedError:
        return None


def test_run_leaves_the_signal_to_the_app(container, run, tmp_path):
    """The app's own SIGHUP is not taken away from it."""
    child = Child(tmp_path)
    program = run(child.command, "8080:8000")
    child.catch([signal.SIGHUP])
    program.signal(signal.SIGHUP)
    wait_until(lambda: child.caught() == [signal.SIGHUP], "the app has got it")
    assert not program.messages("reloaded: ")
