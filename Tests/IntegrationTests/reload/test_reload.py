"""SIGHUP: the configuration is read again, and only what has changed in it changes."""

import os
import signal
import socket
import subprocess
import threading
import time

import pytest

from support.apps import App, AppInHand, echo, greets
from support.configuration import route
from support.namespaces import Cable
from support.pairs import Pairs
from support.reloading import ask, complaints, reload, reloadable
from support.settings import PROGRAM
from support.sockets import connect, read_exactly, read_to_end
from support.waiting import stays_true, wait_until


def test_routes_are_added_changed_and_removed(container, outside, reloadable):
    program, file = reloadable(
        route(8080, 8000, "stays"), route(8081, 8000, "changes"), route(8082, 8000, "goes"))
    with App(container, greets(b"one")), App(container, greets(b"two"), port=8001):
        stays, changes = container.listening_inodes(8080), container.listening_inodes(8081)
        assert [ask(outside, port) for port in (8080, 8081, 8082)] == [b"one hello"] * 3
        file.set(route(8080, 8000, "stays"), route(8081, 8001, "changes"), route(8083, 8001, "comes"))
        assert reload(program) == "reloaded: 1 route added, 1 changed, 1 removed, 1 unchanged"
        assert [ask(outside, port) for port in (8080, 8081, 8083)] == [b"one hello", b"two hello", b"two hello"]
        wait_until(lambda: not container.listens_on(8082), "the removed route's listeners are closed")
        with pytest.raises(ConnectionRefusedError):
            connect(outside, Cable.CONTAINER, 8082)
        # The very same sockets listen where the address is the same.
        assert container.listening_inodes(8080) == stays and container.listening_inodes(8081) == changes
    assert not complaints(program)


def test_nothing_changes(container, outside, reloadable):
    program, _ = reloadable(route(8080, 8000))
    with App(container, echo), connect(outside, Cable.CONTAINER, 8080) as client:
        listening = container.listening_inodes(8080)
        for _ in range(3):
            assert reload(program) == "reloaded: 1 route unchanged"
        assert container.listening_inodes(8080) == listening
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
        before = container.listening_inodes(8080), container.listening_inodes(8081)
        file.set(route(8081, 8000, "one"), route(8080, 8001, "two"))
        assert reload(program) == "reloaded: 2 routes changed"
        assert ask(outside, 8080) == b"two hello" and ask(outside, 8081) == b"one hello"
        assert (container.listening_inodes(8080), container.listening_inodes(8081)) == before


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
    listening = container.listening_inodes(8080)
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
        assert container.listening_inodes(8080) == listening
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
