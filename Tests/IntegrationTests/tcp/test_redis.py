"""Redis, bound to 127.0.0.1, and its own benchmark as the client."""

import csv

import pytest

from support.namespaces import Cable, run
from support.processes import Process
from support.sockets import connect
from support.waiting import wait_until


@pytest.fixture
def redis(container, tmp_path):
    server = Process(container.command(
        "redis-server", "--bind", "127.0.0.1", "--port", "6379", "--save", "", "--appendonly", "no",
        "--dir", str(tmp_path)))
    wait_until(lambda: container.listens_on(6379), "Redis listens")
    yield server
    server.stop()


def benchmark(outside, *options):
    """Runs redis-benchmark from outside; returns its rows as {test: requests a second}."""
    output = run(
        *outside.command("redis-benchmark", "-h", Cable.CONTAINER, "-p", "6379", "--csv", *options), timeout=100)
    assert "rror" not in output, output
    return {row[0]: float(row[1]) for row in csv.reader(output.splitlines()) if row[0] != "test"}


@pytest.mark.load
@pytest.mark.limit(180)
def test_benchmark(outside, redis, loopbridge):
    program = loopbridge("6379")
    rows = benchmark(outside, "-t", "set,get,lpush,lrange_600", "-n", "20000", "-c", "50", "-d", "100")
    assert len(rows) == 5 and all(rate > 0 for rate in rows.values()), rows
    rows = benchmark(outside, "-t", "set,get", "-n", "50000", "-c", "20", "-P", "16")
    assert len(rows) == 2 and all(rate > 0 for rate in rows.values()), rows
    rows = benchmark(outside, "-t", "set,get", "-n", "2000", "-c", "20", "-d", "200000")
    assert len(rows) == 2 and all(rate > 0 for rate in rows.values()), rows
    assert program.is_running


@pytest.mark.load
@pytest.mark.limit(120)
def test_benchmark_with_a_connection_for_each_request(outside, redis, loopbridge):
    loopbridge("6379")
    rows = benchmark(outside, "-t", "ping_mbulk", "-n", "3000", "-c", "20", "-k", "0")
    assert all(rate > 0 for rate in rows.values()) and rows


def test_without_loopbridge_nobody_reaches_it(outside, redis):
    with pytest.raises(ConnectionRefusedError):
        connect(outside, Cable.CONTAINER, 6379)
