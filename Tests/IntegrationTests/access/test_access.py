"""Access: a client that may not come in is reset before anything of it is read, and the app hears nothing of it."""

import collections
import concurrent.futures
import contextlib
import signal
import socket
import threading

import pytest

from support.admin import metrics
from support.apps import App, echo
from support.configuration import ConfigurationFile, route
from support.datagrams import DatagramApp, ask, client as datagram_client, hears_nothing
from support.namespaces import Cable
from support.processes import Frozen
from support.sockets import connect, read_exactly, resets_when_closed
from support.waiting import wait_until

STRANGER, STRANGER_V6 = "172.17.0.66", "fd00:17::66"


@pytest.fixture
def outside(outside):
    """The outside with a second address of each family."""
    outside.ip("addr", "add", f"{STRANGER}/24", "dev", "eth0")
    outside.ip("addr", "add", f"{STRANGER_V6}/64", "dev", "eth0", "nodad")
    return outside


def visit(outside, source=None, port=8080):
    """A client from this address."""
    address = Cable.CONTAINER_V6 if source and ":" in source else Cable.CONTAINER
    return connect(outside, address, port, source=source)


def is_served(*arguments, **options):
    """Whether a client gets what an app that echoes says; False for a reset before a byte, however early."""
    try:
        with visit(*arguments, **options) as client:
            client.sendall(b"hello")
            return read_exactly(client, 5) == b"hello"
    except ConnectionError:
        return False


def test_datagrams_of_whoever_may_not_come_in_are_dropped(container, outside, loopbridge):
    program = loopbridge("--admin-listen", "9901", "--deny", f"{STRANGER},{STRANGER_V6}/128", "8053:127.0.0.1:5300/udp")
    with DatagramApp(container) as app:
        for address, stranger, friend in [
            (Cable.CONTAINER, STRANGER, Cable.OUTSIDE), (Cable.CONTAINER_V6, STRANGER_V6, Cable.OUTSIDE_V6),
        ]:
            with datagram_client(outside, address, source=(stranger, 0)) as denied:
                for _ in range(3):
                    denied.send(b"strange")
                with datagram_client(outside, address, source=(friend, 0)) as admitted:
                    assert ask(admitted, b"known") == b"known"
                assert hears_nothing(denied)
        assert app.count == 2
    cause = 'loopbridge_failures_total{route="0.0.0.0:8053/udp",cause="client_denied"}'
    # Those that came together count once.
    assert 2 <= metrics(container)[cause] <= 6
    lines = program.messages("a client was turned away: its address is not allowed")
    assert lines and lines[0]["client"].startswith((STRANGER, f"[{STRANGER_V6}]"))


@pytest.mark.parametrize("protocol", ["tcp", "http"])
def test_who_may_not_come_in_is_reset(container, outside, loopbridge, protocol):
    program = loopbridge(
        "--admin-listen", "9901", "--deny", f"{STRANGER},{STRANGER_V6}/128", f"8080:8000/{protocol}",
    )
    with App(container, echo) as app:
        for _ in range(20):
            assert not is_served(outside, STRANGER)
            assert not is_served(outside, STRANGER_V6)
        assert app.accepted == 0, "the app was called"
        if protocol == "tcp":
            assert is_served(outside) and is_served(outside, Cable.OUTSIDE_V6)
            assert app.accepted == 2
    samples = metrics(container)
    assert samples['loopbridge_failures_total{route="0.0.0.0:8080",cause="client_denied"}'] == 40
    assert samples['loopbridge_connections_total{route="0.0.0.0:8080"}'] == (2 if protocol == "tcp" else 0)
    # However many they are.
    lines = program.messages("a client was turned away: its address is not allowed")
    assert 1 <= len(lines) <= 2 * 2
    assert lines[0]["client"].startswith((STRANGER, f"[{STRANGER_V6}]")) and lines[0]["clients"] == 1


def flood(outside, stop, source=STRANGER):
    """Connects from one address as fast as it can, without waiting for what comes of it; returns how often."""
    count, pending = 0, collections.deque()
    with outside.entered():
        while not stop.is_set():
            client = socket.socket()
            client.setblocking(False)
            resets_when_closed(client)
            with contextlib.suppress(OSError):
                client.bind((source, 0))
                client.connect_ex((Cable.CONTAINER, 8080))
                count += 1
            pending.append(client)
            if len(pending) > 200:
                pending.popleft().close()
    for client in pending:
        client.close()
    return count


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_flood_of_those_who_may_not_keeps_nobody_else_out(container, outside, loopbridge, workers):
    """The speed at which the others are served meanwhile is measured elsewhere (docs/benchmarks.md)."""
    program = loopbridge("--admin-listen", "9901", "--workers", workers, "--deny", STRANGER, "8080:8000")
    denied = 'loopbridge_failures_total{route="0.0.0.0:8080",cause="client_denied"}'
    stop = threading.Event()
    with App(container, echo) as app, concurrent.futures.ThreadPoolExecutor() as pool:
        flooding = pool.submit(flood, outside, stop)
        try:
            wait_until(lambda: metrics(container)[denied] > 500, "the flood has come")
            for _ in range(100):
                assert is_served(outside)
            wait_until(lambda: metrics(container)[denied] > 1500, "the flood goes on")
        finally:
            stop.set()
        assert flooding.result(20) > 1500
        assert app.accepted == 100
    assert len(program.messages("a client was turned away")) <= 2 * int(workers)


FLOOD = "a flood of clients whose address is not allowed"
FLOOD_IS_OVER = "the flood of clients whose address is not allowed is over"


def burst(program, outside, source=STRANGER, count=1200):
    """Has so many clients wait that it is a flood, however slow the machine is."""
    with Frozen(program.pid):
        for _ in range(count):
            visit(outside, source).close()


def hears_nothing_at_all(outside, source=STRANGER):
    """Whether a client gets no answer to its connect."""
    client = outside.socket(timeout=0.3)
    with contextlib.closing(client):
        client.bind((source, 0))
        try:
            client.connect((Cable.CONTAINER, 8080))
        except TimeoutError:
            return True
        except ConnectionError:
            pass
        return False


@contextlib.contextmanager
def flooded(outside):
    """There is a flood meanwhile."""
    stop = threading.Event()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        flooding = pool.submit(flood, outside, stop)
        try:
            yield
        finally:
            stop.set()
        flooding.result(20)


def test_the_kernel_drops_a_flood_until_it_is_over(container, outside, loopbridge):
    program = loopbridge("--admin-listen", "9901", "--workers", "1", "--deny", STRANGER, "8080:8000")
    denied = 'loopbridge_failures_total{route="0.0.0.0:8080",cause="client_denied"}'
    with App(container, echo) as app:
        burst(program, outside)
        with flooded(outside):
            assert program.wait_for_message(FLOOD)["route"] == "0.0.0.0:8080"
            wait_until(lambda: hears_nothing_at_all(outside), "denied clients hear nothing")
            before = metrics(container)[denied]
            wait_until(lambda: metrics(container)[denied] >= before + 500, "those who are dropped are counted")
            for _ in range(50):
                assert is_served(outside)
            # The other listener has no flood.
            assert is_served(outside, Cable.OUTSIDE_V6)
        assert app.accepted == 51
        assert program.wait_for_message(FLOOD_IS_OVER)["dropped"] >= 500
        assert not is_served(outside, STRANGER)
        assert is_served(outside)
    assert len(program.messages(FLOOD)) == 1


def test_a_reload_in_a_flood_is_for_those_who_come(container, outside, loopbridge, tmp_path):
    """A client that may come in now is let in, and one that was let in stays, whatever the kernel was told."""
    file = ConfigurationFile(tmp_path, route(8080, 8000, "web", deny=STRANGER))
    program = loopbridge("--workers", "1", "--config", file.path)

    def reload(*routes):
        count = len(program.messages("reloaded: 1 route changed"))
        file.set(*routes)
        program.signal(signal.SIGHUP)
        program.wait_for_message("reloaded: 1 route changed", count=count + 1)

    with App(container, echo):
        burst(program, outside)
        with flooded(outside):
            program.wait_for_message(FLOOD)
            wait_until(lambda: hears_nothing_at_all(outside), "denied clients hear nothing")
            there = visit(outside, Cable.OUTSIDE)
        with there:
            reload(route(8080, 8000, "web", deny=Cable.OUTSIDE))
            assert is_served(outside, STRANGER)
            assert hears_nothing_at_all(outside, Cable.OUTSIDE) or program.messages(FLOOD_IS_OVER)
            there.sendall(b"still")
            assert read_exactly(there, 5) == b"still"
            reload(route(8080, 8000, "web"))
            program.wait_for_message(FLOOD_IS_OVER)
            assert is_served(outside, Cable.OUTSIDE) and is_served(outside, STRANGER)
            there.sendall(b"still")
            assert read_exactly(there, 5) == b"still"


def test_where_proxies_name_the_clients_each_is_reset(container, outside, loopbridge):
    program = loopbridge(
        "--admin-listen", "9901", "--workers", "1", "--deny", STRANGER, "--accept-proxy-protocol", "true",
        "--proxy-protocol-from", "192.0.2.0/24", "8080:8000")
    burst(program, outside)
    denied = 'loopbridge_failures_total{route="0.0.0.0:8080",cause="client_denied"}'
    wait_until(lambda: metrics(container)[denied] == 1200, "all are reset")
    assert not is_served(outside, STRANGER)
    assert not program.messages(FLOOD)


def test_with_something_allowed_nobody_else_comes_in(container, outside, loopbridge):
    loopbridge("--allow", f"{Cable.OUTSIDE},fd00:17::/64", "--deny", STRANGER_V6, "8080:8000")
    with App(container, echo):
        assert is_served(outside) and is_served(outside, Cable.OUTSIDE_V6)
        assert not is_served(outside, STRANGER)
        assert not is_served(outside, STRANGER_V6)


def test_a_reload_is_for_those_who_come(container, outside, loopbridge, tmp_path):
    """Clients that are there stay; and each route has lists of its own."""
    file = ConfigurationFile(tmp_path, route(8080, 8000, "web"), route(8081, 8000, "open"))
    program = loopbridge("--config", file.path)
    with App(container, echo), visit(outside, STRANGER) as there:
        there.sendall(b"here")
        assert read_exactly(there, 4) == b"here"
        file.set(route(8080, 8000, "web", deny=STRANGER), route(8081, 8000, "open"))
        program.signal(signal.SIGHUP)
        program.wait_for_message("reloaded: 1 route changed, 1 unchanged")
        assert not is_served(outside, STRANGER)
        assert is_served(outside) and is_served(outside, STRANGER, port=8081)
        there.sendall(b"still")
        assert read_exactly(there, 5) == b"still"
        file.set(route(8080, 8000, "web"), route(8081, 8000, "open"))
        program.signal(signal.SIGHUP)
        program.wait_for_message("reloaded: 1 route changed, 1 unchanged", count=2)
        assert is_served(outside, STRANGER)


@pytest.mark.parametrize("protocol", ["tcp", "http"])
def test_what_one_client_may_have(container, outside, loopbridge, protocol):
    """On all workers together, and each client for itself."""
    program = loopbridge(
        "--admin-listen", "9901", "--workers", "3", "--client-connections", "4", f"8080:8000/{protocol}")
    with App(container, echo):
        there = [visit(outside) for _ in range(4)]
        count = 'loopbridge_connections{route="0.0.0.0:8080"}'
        wait_until(lambda: metrics(container)[count] == 4, "all are let in")
        refusals = 0
        for _ in range(10):
            refusals += not is_served(outside, Cable.OUTSIDE)
        assert refusals == 10
        if protocol == "tcp":
            assert is_served(outside, STRANGER)
            # A client that leaves makes room, and nothing else does.
            there.pop().close()
            wait_until(lambda: is_served(outside), "there is room again")
        samples = metrics(container)
        assert samples['loopbridge_failures_total{route="0.0.0.0:8080",cause="client_connection_limit"}'] >= 10
        for client in there:
            client.close()
    assert program.messages("a client was turned away: it has as many connections as it may have")


def test_how_fast_one_client_may_come(container, outside, loopbridge):
    loopbridge("--admin-listen", "9901", "--workers", "3", "--client-rate", "5/h", "8080:8000")
    with App(container, echo):
        assert [is_served(outside) for _ in range(12)] == [True] * 5 + [False] * 7
        assert is_served(outside, STRANGER)
        # The others in a /64 are the same client.
        assert sum(is_served(outside, source) for source in (Cable.OUTSIDE_V6, STRANGER_V6) * 6) == 5
    samples = metrics(container)
    assert samples['loopbridge_failures_total{route="0.0.0.0:8080",cause="client_rate_limit"}'] == 14


def test_warns_of_what_should_not_be_within_everybody_s_reach(container, outside, loopbridge):
    warning = "a Redis server is behind this port"
    program = loopbridge("7000:6379", "--allow", "10.0.0.0/8")
    assert not program.messages(warning)
    program.end()
    program = loopbridge("7000:6379")
    assert "--allow" in program.wait_for_message(warning)["message"]


def test_flows_count_as_connections(container, outside, loopbridge):
    loopbridge("--admin-listen", "9901", "--workers", "2", "--client-connections", "2", "8053:5300/udp")
    with DatagramApp(container):
        clients = [datagram_client(outside, Cable.CONTAINER) for _ in range(3)]
        for served in clients[:2]:
            assert ask(served) == b"hello"
        clients[2].send(b"hello")
        failures = 'loopbridge_failures_total{route="0.0.0.0:8053/udp",cause="client_connection_limit"}'
        wait_until(lambda: metrics(container)[failures] == 1, "the third is turned away")
        assert hears_nothing(clients[2])
        for served in clients[:2]:
            assert ask(served) == b"hello"
        for each in clients:
            each.close()
