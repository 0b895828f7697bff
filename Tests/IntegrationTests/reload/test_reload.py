"""SIGHUP: the configuration is read again, and only what has changed in it changes."""

import os
import signal
import socket
import subprocess
import threading
import time

import pytest

from support.apps import App, AppInHand, echo, greets
from support.configuration import ConfigurationFile, route
from support.namespaces import Cable
from support.pairs import Pairs
from support.settings import PROGRAM
from support.sockets import connect, read_exactly, read_to_end
from support.waiting import stays_true, wait_until
from support.wrapped import Child


@pytest.fixture
def reloadable(loopbridge, tmp_path):
    """Starts loopbridge with a configuration file of these routes; both are returned."""
    def start(*routes, options=(), wrapper=(), **settings):
        file = ConfigurationFile(tmp_path, *routes, **settings)
        return loopbridge("--config", file.path, *options, wrapper=wrapper), file

    return start


def reload(program):
    """Has it reload; returns what it says of that."""
    before = len(program.messages("reloaded: "))
    program.signal(signal.SIGHUP)
    return program.wait_for_message("reloaded: ", count=before + 1)["message"]


def ask(outside, port):
    """What an app that greets says through the bridge."""
    with connect(outside, Cable.CONTAINER, port) as client:
        client.sendall(b"hello")
        return read_to_end(client)[0]


def complaints(program):
    return [line["message"] for line in program.log if line["level"] in ("warning", "error")]


def inodes(container, port):
    """The sockets that listen on a port, by their inodes."""
    found = set()
    for table in ("tcp", "tcp6"):
        with container.entered(), open(f"/proc/thread-self/net/{table}") as file:
            for fields in (line.split() for line in file.read().splitlines()[1:]):
                if fields[3] == "0A" and int(fields[1].split(":")[1], 16) == port:
                    found.add(fields[9])
    return found


def test_routes_are_added_changed_and_removed(container, outside, reloadable):
    program, file = reloadable(
        route(8080, 8000, "stays"), route(8081, 8000, "changes"), route(8082, 8000, "goes"))
    with App(container, greets(b"one")), App(container, greets(b"two"), port=8001):
        stays, changes = inodes(container, 8080), inodes(container, 8081)
        assert [ask(outside, port) for port in (8080, 8081, 8082)] == [b"one hello"] * 3
        file.set(route(8080, 8000, "stays"), route(8081, 8001, "changes"), route(8083, 8001, "comes"))
        assert reload(program) == "reloaded: 1 route added, 1 changed, 1 removed, 1 unchanged"
        assert [ask(outside, port) for port in (8080, 8081, 8083)] == [b"one hello", b"two hello", b"two hello"]
        wait_until(lambda: not container.listens_on(8082), "the removed route's listeners are closed")
        with pytest.raises(ConnectionRefusedError):
            connect(outside, Cable.CONTAINER, 8082)
        # The very same sockets listen where the address is the same.
        assert inodes(container, 8080) == stays and inodes(container, 8081) == changes
    assert not complaints(program)


def test_nothing_changes(container, outside, reloadable):
    program, _ = reloadable(route(8080, 8000))
    with App(container, echo), connect(outside, Cable.CONTAINER, 8080) as client:
        listening = inodes(container, 8080)
        for _ in range(3):
            assert reload(program) == "reloaded: 1 route unchanged"
        assert inodes(container, 8080) == listening
        client.sendall(b"hello")
        assert read_exactly(client, 5) == b"hello"


def test_without_a_file(loopbridge):
    program = loopbridge("8080:8000")
    assert reload(program) == "reloaded: 1 route unchanged"


def test_connections_keep_what_they_began_with(container, outside, reloadable):
    """Of an unchanged, a changed and a removed route alike; only the removed one's have an end."""
    program, file = reloadable(
        route(8080, 8000, "stays"), route(8081, 8000, "changes"), route(8082, 8000, "goes"), drain="2s")
    with AppInHand(container) as old, App(container, greets(b"new"), port=8001):
        stays, changes, goes = [Pairs(program, outside, container, old, port).make() for port in (8080, 8081, 8082)]
        file.set(route(8080, 8000, "stays"), route(8081, 8001, "changes"), drain="2s")
        started = time.monotonic()
        reload(program)
        for client, app in (stays, changes, goes):
            client.sendall(b"hello")
            assert read_exactly(app, 5) == b"hello"
            app.sendall(b"welcome")
            assert read_exactly(client, 7) == b"welcome"
        assert ask(outside, 8081) == b"new hello"
        for connection in goes:
            assert isinstance(read_to_end(connection)[1], ConnectionResetError)
        assert 1.9 < time.monotonic() - started < 8
        ended = program.wait_for_closed(2)
        assert (ended["route"], ended["end"]) == ("goes", "the route was removed")
        for client, app in (stays, changes):
            client.sendall(b"still here")
            assert read_exactly(app, 10) == b"still here"
            client.close()


def test_a_removed_route_s_connection_may_finish(container, outside, reloadable):
    program, file = reloadable(route(8080, 8000, "stays"), route(8081, 8000, "goes"), drain="30s")
    with App(container, echo), connect(outside, Cable.CONTAINER, 8081) as client:
        client.sendall(b"hello")
        read_exactly(client, 5)
        file.set(route(8080, 8000, "stays"), drain="30s")
        reload(program)
        client.shutdown(socket.SHUT_WR)
        assert read_to_end(client) == (b"", None)
        assert program.wait_for_closed()["end"] == "finished"


def test_new_settings_apply_to_new_connections(container, outside, reloadable):
    """A shorter timeout is not late either, though the next look at the old ones was planned for long after."""
    program, file = reloadable(route(8080, 8000, "web", idle_timeout="1h"))
    with AppInHand(container) as in_hand:
        pairs = Pairs(program, outside, container, in_hand)
        old, _ = pairs.make()
        file.set(route(8080, 8000, "web", idle_timeout="1s"))
        reload(program)
        started = time.monotonic()
        new, _ = pairs.make()
        assert isinstance(read_to_end(new)[1], ConnectionResetError)
        assert 0.9 < time.monotonic() - started < 8
        old.settimeout(0.5)
        with pytest.raises(TimeoutError):
            old.recv(1)
        old.close()


@pytest.mark.parametrize("before, after", [("1", "3"), ("3", "1")])
def test_max_connections_counts_those_who_are_there(container, outside, reloadable, before, after):
    """A raised limit lets those in who wait; under a lowered one, those who are there stay."""
    program, file = reloadable(route(8080, 8000, "web", max_connections=before))
    with App(container, echo) as app:
        clients = [connect(outside, Cable.CONTAINER, 8080) for _ in range(4)]
        wait_until(lambda: app.connections == int(before), "the first are let in")
        file.set(route(8080, 8000, "web", max_connections=after))
        reload(program)
        wait_until(lambda: app.connections == 3, "three are there")
        stays_true(lambda: app.connections == 3, "the limit holds", 0.3)
        # Each that leaves makes room only under the new limit.
        for client in clients:
            client.sendall(b"hello")
        answered = set()

        def served():
            for client in set(clients) - answered:
                client.setblocking(False)
                try:
                    if client.recv(5) == b"hello":
                        answered.add(client)
                except BlockingIOError:
                    pass
            return answered

        wait_until(lambda: len(served()) == 3, "three are served")
        waiting = (set(clients) - answered).pop()
        leaving = list(answered)
        leaving[0].close()
        if after == "1":
            stays_true(lambda: waiting not in served(), "there are still more than one", 0.3)
            leaving[1].close()
            leaving[2].close()
        wait_until(lambda: waiting in served(), "the last one is served")
        for client in clients:
            client.close()


def test_routes_swap_their_addresses(container, outside, reloadable):
    program, file = reloadable(route(8080, 8000, "one"), route(8081, 8001, "two"))
    with App(container, greets(b"one")), App(container, greets(b"two"), port=8001):
        before = inodes(container, 8080), inodes(container, 8081)
        file.set(route(8081, 8000, "one"), route(8080, 8001, "two"))
        assert reload(program) == "reloaded: 2 routes changed"
        assert ask(outside, 8080) == b"two hello" and ask(outside, 8081) == b"one hello"
        assert (inodes(container, 8080), inodes(container, 8081)) == before


def test_a_wildcard_gives_way_to_one_of_its_addresses_and_comes_back(container, outside, reloadable):
    """Its socket is in the other one's way until it is closed, and the other way round."""
    program, file = reloadable(route(8000, 9000, "web"))
    with App(container, greets(b"nine"), port=9000), App(container, greets(b"other"), port=9001):
        assert ask(outside, 8000) == b"nine hello"
        file.set(route(f'"{Cable.CONTAINER}:8000"', 9001, "web"))
        reload(program)
        wait_until(lambda: container.listening_addresses(8000) == {"020011AC"}, "one address is left")
        assert ask(outside, 8000) == b"other hello"
        file.set(route(8000, 9000, "web"))
        reload(program)
        wait_until(lambda: container.listening_addresses(8000) == {"0" * 8, "0" * 32}, "all addresses are back")
        assert ask(outside, 8000) == b"nine hello"
    assert not complaints(program)


def test_nobody_is_refused_while_a_route_changes(container, outside, reloadable):
    """Clients come all the time; every one of them gets an answer, the old one or the new one."""
    program, file = reloadable(route(8080, 8000, "web"))
    answers, failures = [], []
    stop = threading.Event()

    def come():
        while not stop.is_set():
            try:
                answers.append(ask(outside, 8080))
            except OSError as error:
                failures.append(error)

    with App(container, greets(b"0")), App(container, greets(b"1"), port=8001):
        threads = [threading.Thread(target=come, daemon=True) for _ in range(4)]
        for thread in threads:
            thread.start()
        for turn in range(1, 51):
            file.set(route(8080, 8000 + turn % 2, "web"))
            reload(program)
            seen = len(answers)
            wait_until(lambda: len(answers) > seen + 5, "clients come", interval=0.001)
        stop.set()
        for thread in threads:
            thread.join(10)
    assert not failures
    assert set(answers) == {b"0 hello", b"1 hello"}


@pytest.mark.parametrize("text, expected", [
    ("routes:\n  - { listen: 8080, upstreem: 8000 }\n  - { listen: x, upstream: 8000 }\n",
     ["upstreem", "expected a port, ADDRESS:PORT, unix:/PATH or systemd:NAME"]),
    ("routes: [", ["loopbridge.yaml:"]),
    ("", ["no route"]),
    ("\xff", ["loopbridge.yaml"]),
    (None, ["no such file"]),
])
def test_an_invalid_file_changes_nothing(container, outside, reloadable, text, expected):
    program, file = reloadable(route(8080, 8000), route(8081, 8000))
    listening = inodes(container, 8080)
    if text is None:
        os.unlink(file.path)
    else:
        with open(file.path, "wb") as target:
            target.write(text.encode("latin-1"))
    with App(container, greets(b"hello")):
        program.signal(signal.SIGHUP)
        program.wait_for_message("not reloaded, nothing has changed")
        for words in expected:
            assert program.wait_for_message(words)["level"] == "error"
        assert inodes(container, 8080) == listening
        assert ask(outside, 8080) == ask(outside, 8081) == b"hello hello"
        # All that check prints is in the log.
        check = subprocess.run([PROGRAM, "check", "--config", file.path], capture_output=True, text=True)
        said = check.stderr.splitlines()
        assert said
        logged = "\n".join(line["message"] for line in program.log if line["level"] == "error")
        for line in said:
            assert line.removeprefix("loopbridge: ") in logged
        file.set(route(8080, 8000), route(8081, 8000))
        assert reload(program) == "reloaded: 2 routes unchanged"


def test_a_listener_that_cannot_be_had(container, outside, reloadable):
    """It is reported and tried again, and the rest goes on."""
    program, file = reloadable(route(8080, 8000, "web"))
    with App(container, greets(b"bridged")):
        with App(container, greets(b"other"), address="0.0.0.0", port=8081):
            file.set(route(8080, 8000, "web"), route('"0.0.0.0:8081"', 8000, "taken"), route(8082, 8000, "free"))
            assert reload(program) == "reloaded: 2 routes added, 1 unchanged"
            message = program.wait_for_message("cannot listen on 0.0.0.0:8081")
            assert message["level"] == "error" and message["route"] == "taken"
            assert ask(outside, 8080) == ask(outside, 8082) == b"bridged hello"
        program.wait_for_message("listening on 0.0.0.0:8081", limit=15)
        assert ask(outside, 8081) == b"bridged hello"


def test_an_address_that_is_hard_to_get_does_not_hold_up_the_others(container, outside, reloadable):
    """A failure that lasts is tried ever more seldom; what a reload brings is not to wait for that."""
    program, file = reloadable(route(8080, 8000, "web"))
    with App(container, greets(b"bridged")):
        never = route('"192.0.2.1:8081"', 8000, "never")
        file.set(route(8080, 8000, "web"), never)
        reload(program)
        program.wait_for_message("cannot listen on 192.0.2.1:8081")
        complained = time.monotonic()
        # Then the retries are more than two seconds apart; a wildcard that gives way to one address takes one retry.
        wait_until(lambda: time.monotonic() - complained > 2.6, "some retries have failed")
        file.set(route(f'"{Cable.CONTAINER}:8080"', 8000, "web"), never)
        reload(program)
        wait_until(lambda: container.listening_addresses(8080) == {"020011AC"}, "it listens", limit=2)
        assert ask(outside, 8080) == b"bridged hello"


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
