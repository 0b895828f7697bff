"""Clients are turned away where memory is short; the process lives, and serves those it has let in."""

import re
import signal
import threading

import pytest

from support.actors.crowd import Crowd, Stuffer
from support.admin import ask, metrics
from support.apps import App, echo
from support.configuration import ConfigurationFile, route
from support.limited import FakeGroup, MemoryGroup
from support.loopbridge import run_to_end
from support.namespaces import Cable, run
from support.settings import IS_RELEASE, IS_SANITIZED
from support.sockets import connect, read_exactly
from support.waiting import wait_until

MIB = 1 << 20

pytestmark = [
    pytest.mark.limit(180),
    pytest.mark.skipif(IS_SANITIZED, reason="a sanitizer takes memory of its own")]

PORTS = {"readers": 8080, "uploads": 8080, "handshakes": 8443, "heads": 8081}
ROUTES = {8080: "tcp", 8443: "tls", 8081: "http"}
CROWDS = [("readers", 5000), ("handshakes", 2000), ("uploads", 1000), ("heads", 4000)]


@pytest.fixture(autouse=True)
def small_buffers(container, outside):
    """Keeps the kernel's own buffers, which are not what is tested, within what the machine has."""
    for namespace in (container, outside):
        namespace.sysctl("net.ipv4.tcp_wmem", "4096 16384 65536")
        namespace.sysctl("net.ipv4.tcp_rmem", "4096 65536 131072")


@pytest.fixture
def group():
    """Makes cgroups with a limit, which go after the programs in them."""
    made = []

    def make(limit):
        problem = MemoryGroup.problem()
        if problem:
            pytest.skip(problem)
        made.append(MemoryGroup(limit))
        return made[-1]

    yield make
    for each in made:
        each.remove()


@pytest.fixture
def bridge(group, loopbridge, tmp_path, pair):
    """Starts it with a route for each kind of crowd, and one for whoever behaves."""
    def start(wrapper, workers=2, memory="auto"):
        tls = f"{{ certificate: {pair.certificate}, key: {pair.key} }}"
        file = ConfigurationFile(
            tmp_path, route("8080", "localhost:8000", name="tcp", max_connections=20000),
            route("8081", "localhost:8000", name="http", protocol="http"),
            route("8443", "localhost:8000", name="tls", tls=tls), route("8090", "localhost:8010", name="good"),
            workers=workers, memory=memory, admin='{ listen: "127.0.0.1:9901" }')
        return loopbridge("--config", file.path, wrapper=wrapper)
    return start


def is_echoed(client):
    client.sendall(b"hello")
    return read_exactly(client, 5) == b"hello"


def refused(container, kind):
    return metrics(container)[f'loopbridge_failures_total{{route="{ROUTES[PORTS[kind]]}",cause="memory_short"}}']


def lets_in_again(outside):
    try:
        with connect(outside, Cable.CONTAINER, 8090) as client:
            return is_echoed(client)
    except (OSError, EOFError):
        return False


def withstands(container, outside, program, kind, count):
    """Has a crowd come, and looks at how it is met. Returns how many of it were refused."""
    with App(container, echo, port=8010), Stuffer(container, sends=kind == "readers"), \
            connect(outside, Cable.CONTAINER, 8090) as good:
        assert is_echoed(good)
        with Crowd(outside, Cable.CONTAINER, PORTS[kind]) as crowd:
            coming = threading.Thread(target=crowd.add, args=(count, kind))
            coming.start()
            while coming.is_alive():
                assert is_echoed(good), "who was there is served meanwhile"
                coming.join(0.02)
            program.wait_until_quiet(limit=60)
            assert program.is_running, program.describe()
            assert is_echoed(good)
            turned_away = crowd.count_refused()
            assert turned_away == refused(container, kind), "each one is counted"
            assert turned_away < count, "some were let in"
            if turned_away:
                line = program.wait_for_message("memory is short", limit=5)
                assert line["level"] == "warning"
                assert metrics(container)["loopbridge_memory_shortages_total"] >= 1
        wait_until(lambda: lets_in_again(outside), "new clients are let in again", limit=30, interval=0.2)
    return turned_away


@pytest.mark.load
@pytest.mark.parametrize("kind, count", CROWDS, ids=[kind for kind, _ in CROWDS])
@pytest.mark.parametrize("limit", [64, 32])
def test_crowd_in_a_small_cgroup(container, outside, bridge, group, kind, count, limit):
    if not IS_RELEASE and limit == 32:
        pytest.skip("a debug build takes most of that by itself")
    cgroup = group(limit * MIB)
    program = bridge(cgroup.wrapper)
    turned_away = withstands(container, outside, program, kind, count)
    print(f"{kind}: {turned_away} of {count} refused, {cgroup.most_used / MIB:.1f} of {limit} MiB at the most")
    assert cgroup.kills == 0
    if kind in ("handshakes", "heads"):
        assert turned_away > 0, "they don't all fit"


@pytest.mark.load
@pytest.mark.parametrize("kind, count", CROWDS, ids=[kind for kind, _ in CROWDS])
@pytest.mark.parametrize("limit", ["data", "as", "setting"])
def test_crowd_under_a_limit_of_the_process(container, outside, bridge, kind, count, limit):
    """RLIMIT_DATA and RLIMIT_AS, a little above what it needs to start: there, an allocation that fails ends a process.

    And `memory` of the configuration, which nobody but the program itself holds it to.
    """
    size = {"data": 48 * MIB, "as": 112 * MIB, "setting": 40 * MIB}[limit]
    program = bridge([], memory="40MiB") if limit == "setting" else bridge(["prlimit", f"--{limit}={size}"])
    turned_away = withstands(container, outside, program, kind, count)
    figure = program.memory({"data": "VmData", "as": "VmPeak", "setting": "RssAnon"}[limit])
    print(f"{kind}: {turned_away} of {count} refused, {figure / MIB:.1f} of {size / MIB:.0f} MiB")
    if kind in ("handshakes", "heads"):
        assert turned_away > 0, "they don't all fit"


def test_the_limit_is_told(container, outside, bridge, group):
    """The limit of memory, and its use, are among the metrics."""
    limit = 256 * MIB
    bridge(group(limit).wrapper)
    samples = metrics(container)
    assert samples['loopbridge_memory_limit_bytes{source="cgroup"}'] == limit
    assert 0 < samples['loopbridge_memory_used_bytes{source="cgroup"}'] < limit / 2
    assert samples["loopbridge_memory_short"] == 0
    assert samples["loopbridge_memory_shortages_total"] == 0
    memory = ask(container, "/status.json").json()["memory"]
    assert memory["source"] == "cgroup" and memory["limit_bytes"] == limit and memory["level"] == "ample"


def test_the_limit_of_the_configuration_is_told_and_changed(container, loopbridge, tmp_path):
    """Where it is nearest; the rest is as with the others."""
    def limit():
        return metrics(container).get('loopbridge_memory_limit_bytes{source="setting"}')

    admin = '{ listen: "127.0.0.1:9901" }'
    file = ConfigurationFile(tmp_path, route(8080, 8000), memory="40MiB", admin=admin)
    program = loopbridge("--config", file.path)
    assert limit() == 40 * MIB
    file.set(route(8080, 8000), memory="44MiB", admin=admin)
    program.signal(signal.SIGHUP)
    assert program.wait_for_message("reloaded: ")["message"] == "reloaded: 1 route unchanged; changed besides: memory"
    wait_until(lambda: limit() == 44 * MIB, "the new one counts")


def test_a_limit_that_is_set_later_counts(container, outside, bridge, group):
    cgroup = group(1024 * MIB)
    program = bridge(cgroup.wrapper)
    with App(container, echo, port=8010), connect(outside, Cable.CONTAINER, 8090) as good:
        assert is_echoed(good)
        assert metrics(container)["loopbridge_memory_short"] == 0
        # Less than what must stay free: 4 MiB, and what is used.
        used = metrics(container)['loopbridge_memory_used_bytes{source="cgroup"}']
        cgroup.set_limit(int(used) + 3 * MIB)
        wait_until(lambda: metrics(container)["loopbridge_memory_short"] == 1, "memory is short", limit=15, interval=0.2)
        wait_until(lambda: not lets_in_again(outside), "nobody new is let in", limit=5)
        ready = ask(container, "/readyz")
        assert ready.status == 503 and "memory is short" in ready.text
        assert is_echoed(good), "who was there is served"
        cgroup.set_limit(1024 * MIB)
        wait_until(lambda: lets_in_again(outside), "new clients are let in again", limit=15, interval=0.2)
        program.wait_for_message("new clients are let in again")
        program.wait_for_message("memory is not short any more", limit=15)
    assert len(program.messages("memory is short: new")) == 1


def largest_buffers(container, port):
    """The most that the kernel may hold for the connections at a port, in bytes: to be sent, and received."""
    said = run(*container.command("ss", "-tmnHO", "state", "established", f"sport = :{port}"))
    return [max(int(number) for number in re.findall(rf"\b{name}(\d+)", said)) for name in ("tb", "rb")]


def test_sockets_that_count_are_bounded(container, outside, bridge):
    """In cgroup version 2 the kernel's memory for sockets counts, and is most of what slow readers cost."""
    for namespace in (container, outside):
        namespace.sysctl("net.ipv4.tcp_wmem", "4096 262144 1048576")
        namespace.sysctl("net.ipv4.tcp_rmem", "4096 262144 1048576")
    program = bridge(FakeGroup(64 * MIB, 16 * MIB).wrapper)
    with App(container, echo, port=8010), connect(outside, Cable.CONTAINER, 8090) as good:
        assert is_echoed(good)
        usual = largest_buffers(container, 8090)
        assert min(usual) >= 128 << 10
        # The kernel doubles what it is asked for, for what it needs besides.
        for used, most in ((50, 64 << 10), (56, 16 << 10)):
            FakeGroup.use(program, used * MIB)
            wait_until(
                lambda: metrics(container) and max(largest_buffers(container, 8090)) <= most,
                f"no more than {most} bytes each way with {used} MiB used", limit=10, interval=0.2)
            assert is_echoed(good)
        assert not lets_in_again(outside)
        FakeGroup.use(program, 16 * MIB)
        program.wait_for_message("memory is not short any more", limit=15)
        wait_until(lambda: lets_in_again(outside), "new clients are let in again", limit=5, interval=0.2)
        with connect(outside, Cable.CONTAINER, 8090) as client:
            assert is_echoed(client)
            assert max(largest_buffers(container, 8090)) >= min(usual), "a new one has what is usual"
        writing = threading.Thread(target=good.sendall, args=(bytes(8 * MIB),))
        writing.start()
        read_exactly(good, 8 * MIB)
        writing.join()


@pytest.mark.parametrize("size, workers, word", [(12, 4, "fewer workers"), (9, 1, "raise it")])
def test_too_little_for_any_client(container, tmp_path, size, workers, word):
    """It says so, and what would be enough, instead of refusing everybody."""
    program = run_to_end(
        container, "--workers", str(workers), "8080:8000", wrapper=["prlimit", f"--data={size * MIB}"])
    assert program.code == 71
    line = next(entry for entry in program.log if entry["level"] == "error")
    assert "RLIMIT_DATA" in line["message"] and word in line["message"], line
