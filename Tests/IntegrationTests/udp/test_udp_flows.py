"""Flows: their life, their number, and changes around them."""

import signal
import socket
import threading
import time

import pytest

from support.configuration import route
from support.datagrams import DatagramApp, ask, client, hears_nothing, sockets
from support.namespaces import Cable
from support.reloading import reload, reloadable
from support.settings import IS_SANITIZED
from support.sockets import LOOPBACK
from support.waiting import stays_true, wait_until


def to_app(container, port=5300):
    """Returns the number of sockets that loopbridge has to the app."""
    return sockets(container, port, remote=True)


# Silence


def test_idle_timeout(container, outside, loopbridge):
    program = loopbridge("--idle-timeout", "1s", "8053:5300/udp")
    with DatagramApp(container) as app, client(outside, Cable.CONTAINER) as asking:
        started = time.monotonic()
        assert ask(asking) == b"hello"
        line = program.wait_for_closed()
        assert line["end"] == "idle timeout" and 0.9 < time.monotonic() - started < 8
        assert (line["datagrams_to_app"], line["to_app"], line["datagrams_to_client"], line["to_client"]) == (1, 5, 1, 5)
        wait_until(lambda: to_app(container) == 0, "the flow's socket is closed")
        # The next datagram begins another flow.
        assert ask(asking) == b"hello"
        assert len(app.senders) == 2


def test_either_direction_keeps_a_flow(container, outside, loopbridge):
    program = loopbridge("--idle-timeout", "2s", "8053:5300/udp")
    with DatagramApp(container, answer=lambda data: None) as app, client(outside, Cable.CONTAINER) as asking:
        asking.send(b"first")
        for _ in range(10):
            time.sleep(0.3)  # 3 s in all, which is more than the timeout
            asking.send(b"more")
        wait_until(lambda: app.count == 11, "all have arrived")
        sender = next(iter(app.senders))
        for _ in range(10):
            app.socket.sendto(b"news", sender)
            assert asking.recv(100) == b"news"
            time.sleep(0.3)  # likewise
        assert len(app.senders) == 1 and not program.closed()


# Too many


def test_above_the_bound_new_clients_are_dropped(container, outside, loopbridge):
    program = loopbridge("--max-connections", "5", "8053:5300/udp")
    with DatagramApp(container) as app:
        known = [client(outside, Cable.CONTAINER) for _ in range(5)]
        for _ in range(2):  # who speaks after an answer keeps its place
            for asking in known:
                assert ask(asking) == b"hello"
        time.sleep(1.2)  # longer than the second that everybody has for an answer
        with client(outside, Cable.CONTAINER) as late:
            late.send(b"me too")
            assert hears_nothing(late)
            for asking in known:
                assert ask(asking) == b"hello"
            assert to_app(container) == 5 and len(app.senders) == 5
    assert program.messages("max_connections reached")


def test_a_silent_client_makes_room_for_a_new_one(container, outside, loopbridge):
    program = loopbridge("--max-connections", "5", "--workers", "1", "8053:5300/udp")
    with DatagramApp(container):
        known = [client(outside, Cable.CONTAINER) for _ in range(5)]
        for asking in known:
            assert ask(asking) == b"hello"
        assert ask(known[0]) == b"hello"
        with client(outside, Cable.CONTAINER) as late:
            # Everybody has a second for an answer.
            late.send(b"too early")
            assert hears_nothing(late)
            time.sleep(1.2)  # longer than the second that everybody has for an answer
            assert ask(late) == b"hello"
            line = program.wait_for_closed()
            assert line["end"] == "made room for another client"
            # The first one has spoken again, so it is another. Which one is not promised: their order is kept about as it was.
            assert line["client"] in {f"{Cable.OUTSIDE}:{asking.getsockname()[1]}" for asking in known[1:]}
        assert ask(known[0]) == b"hello"
        assert to_app(container) == 5


@pytest.mark.limit(180)
def test_a_flood_of_addresses_is_bounded(container, outside, loopbridge):
    """50,000 addresses and ports at once, as if they were false: memory and sockets stay within the bound, and who was
    there before is served all the time."""
    bound = 2000
    program = loopbridge("--max-connections", str(bound), "--access-log", "false", "8053:5300/udp")
    for last in range(10, 30):
        outside.ip("addr", "add", f"172.17.0.{last}/24", "dev", "eth0")
    with DatagramApp(container), client(outside, Cable.CONTAINER) as known:
        for _ in range(2):
            assert ask(known) == b"hello"
        before = program.memory("VmRSS")
        descriptors = program.open_descriptors()
        most = 0
        for last in range(10, 30):
            for block in range(5):
                for number in range(500):
                    with outside.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
                        one.bind((f"172.17.0.{last}", 20000 + block * 500 + number))
                        one.sendto(b"flood", (Cable.CONTAINER, 8053))
                assert ask(known) == b"hello"
                most = max(most, program.open_descriptors())
        assert most <= descriptors + bound
        assert most > descriptors + bound // 2
        assert to_app(container) <= bound
        if not IS_SANITIZED:
            assert program.memory("VmRSS") - before < 16 << 20
        # Newcomers get in as soon as the silent ones have had their second.
        with client(outside, Cable.CONTAINER, timeout=0.5) as late:
            def is_served():
                try:
                    return ask(late) == b"hello"
                except TimeoutError:
                    return False
            wait_until(is_served, "a new client is served")


def test_few_descriptors_are_no_reason_to_end(container, outside, loopbridge):
    program = loopbridge("--workers", "1", "8053:5300/udp", wrapper=["prlimit", "--nofile=64"])
    with DatagramApp(container):
        crowd = [client(outside, Cable.CONTAINER) for _ in range(100)]
        for asking in crowd:
            asking.send(b"hello")
        program.wait_for_message("the limit of open files is reached")
        time.sleep(1.2)  # longer than the second that everybody has for an answer
        with client(outside, Cable.CONTAINER) as late:
            assert ask(late) == b"hello"


# The end


def test_at_the_end_pending_answers_arrive(container, outside, loopbridge):
    program = loopbridge("--drain", "8s", "8053:5300/udp")
    hurry = threading.Event()

    def slowly(data):
        if data == b"slow":
            hurry.wait(20)
        return data

    with DatagramApp(container, answer=slowly) as app:
        done, waiting, late = (client(outside, Cable.CONTAINER) for _ in range(3))
        assert ask(done) == b"hello"
        waiting.send(b"slow")
        wait_until(lambda: app.count == 2, "the question has arrived")
        program.signal(signal.SIGTERM)
        # A client that has its response is done; one that waits is not; a new one is not taken.
        assert program.wait_for_closed()["end"] == "finished"
        late.send(b"hello")
        stays_true(lambda: program.is_running and len(program.closed()) == 1, "the other flow goes on", 0.5)
        hurry.set()
        assert waiting.recv(100) == b"slow"
        assert program.wait(5) == 0
        assert app.count == 2
        assert [line["end"] for line in program.closed()] == ["finished"] * 2


def test_the_end_does_not_wait_for_answers_that_never_come(container, outside, loopbridge):
    program = loopbridge("--drain", "1s", "8053:5300/udp")
    with DatagramApp(container, answer=lambda data: None) as app, client(outside, Cable.CONTAINER) as telling:
        telling.send(b"a line of a log")
        wait_until(lambda: app.count == 1, "it has arrived")
        started = time.monotonic()
        program.signal(signal.SIGTERM)
        # Datagrams that it has still to send get through.
        wait_until(lambda: program.messages("SIGTERM"), "it has heard")
        telling.send(b"another")
        wait_until(lambda: app.count == 2, "that, too, has arrived")
        assert program.wait(5) == 0 and 0.8 < time.monotonic() - started < 4
        assert program.closed()[0]["end"] == "stopped"


# Changes


def datagrams(listen, upstream, name, **settings):
    return route(listen, upstream, name, protocol="udp", **settings)


def test_a_reload_leaves_alone_what_stays(container, outside, reloadable):
    program, file = reloadable(datagrams(8053, 5300, "stays"))
    with DatagramApp(container) as app, client(outside, Cable.CONTAINER) as asking:
        assert ask(asking) == b"hello"
        file.set(datagrams(8053, 5300, "stays"), datagrams(8054, 5300, "comes"))
        assert reload(program) == "reloaded: 1 route added, 1 unchanged"
        assert ask(asking) == b"hello"
        assert len(app.senders) == 1
        # Other settings, the same app: the flow goes on.
        file.set(datagrams(8053, 5300, "stays", idle_timeout="1s"), datagrams(8054, 5300, "comes"))
        assert reload(program) == "reloaded: 1 route changed, 1 unchanged"
        assert ask(asking) == b"hello"
        assert len(app.senders) == 1 and not program.closed()
        # And it is by these that it ends.
        assert program.wait_for_closed(limit=5)["end"] == "idle timeout"


def test_a_reload_leads_clients_to_another_app(container, outside, reloadable):
    program, file = reloadable(datagrams(8053, 5300, "changes"))
    release = threading.Event()

    def slowly(data):
        if data == b"slow":
            release.wait(20)
        return b"old " + data

    with DatagramApp(container, answer=slowly) as old, client(outside, Cable.CONTAINER) as asking:
        with DatagramApp(container, answer=lambda data: b"new " + data, port=5301):
            asking.send(b"slow")
            wait_until(lambda: old.count == 1, "the question has arrived")
            file.set(datagrams(8053, 5301, "changes"))
            assert reload(program) == "reloaded: 1 route changed"
            assert ask(asking, b"next") == b"new next"
            # Datagrams that the old app has still to send get through.
            release.set()
            assert asking.recv(100) == b"old slow"
            assert program.wait_for_closed()["end"] == "finished"
            wait_until(lambda: to_app(container) == 0, "nothing leads to the old app any more")
            assert ask(asking, b"next") == b"new next"


def test_a_removed_route_ends(container, outside, reloadable):
    program, file = reloadable(datagrams(8053, 5300, "goes"), datagrams(8054, 5300, "stays"), drain="1s")
    with DatagramApp(container, answer=lambda data: None) as app, client(outside, Cable.CONTAINER) as telling:
        telling.send(b"hello")
        wait_until(lambda: app.count == 1, "it has arrived")
        file.set(datagrams(8054, 5300, "stays"), drain="1s")
        assert reload(program) == "reloaded: 1 route removed, 1 unchanged"
        assert program.wait_for_closed()["end"] == "the route was removed"
        wait_until(lambda: sockets(container, 8053) == 0, "the sockets are closed")
        # Nothing is there, as its kernel says.
        with pytest.raises(ConnectionRefusedError):
            telling.send(b"hello")
            telling.recv(100)
        # And the route may come back.
        file.set(datagrams(8053, 5300, "goes"), datagrams(8054, 5300, "stays"), drain="1s")
        reload(program)
        telling.send(b"hello")
        wait_until(lambda: app.count == 2, "it has arrived")


def test_an_address_that_goes_takes_its_flows_along(container, outside, loopbridge):
    program = loopbridge("5300/udp")
    container.ip("addr", "add", "172.17.0.99/24", "dev", "eth0")
    program.wait_for_message("listening on 172.17.0.99:5300")
    with DatagramApp(container, answer=lambda data: None, address=LOOPBACK) as app:
        with client(outside, "172.17.0.99", 5300) as telling:
            telling.send(b"hello")
            wait_until(lambda: app.count == 1, "it has arrived")
            container.ip("addr", "del", "172.17.0.99/24", "dev", "eth0")
            assert program.wait_for_closed()["end"] == "the address has gone"
            # It comes back, and so does its listener.
            container.ip("addr", "add", "172.17.0.99/24", "dev", "eth0")
            wait_until(
                lambda: [line["message"] for line in program.log].count("listening on 172.17.0.99:5300") == 2,
                "the address is listened on again")
            telling.send(b"hello")
            wait_until(lambda: app.count == 2, "it has arrived")


def test_descriptors_are_given_back(container, outside, loopbridge):
    program = loopbridge("--idle-timeout", "300ms", "8053:5300/udp")
    with DatagramApp(container):
        with client(outside, Cable.CONTAINER) as asking:
            assert ask(asking) == b"hello"
        program.wait_for_closed()
        wait_until(lambda: to_app(container) == 0, "the flow's socket is closed")
        before = program.open_descriptors()
        # All open at a time, so that each has a port of its own.
        clients = [client(outside, Cable.CONTAINER) for _ in range(300)]
        for asking in clients:
            assert ask(asking) == b"hello"
        for asking in clients:
            asking.close()
        wait_until(lambda: to_app(container) == 0, "all flows have ended")
        wait_until(lambda: program.open_descriptors() == before, "all descriptors are closed")
