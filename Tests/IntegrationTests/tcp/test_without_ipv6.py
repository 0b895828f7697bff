"""Machines and containers on which IPv6 is switched off."""

import pytest

from support.apps import App, greets
from support.namespaces import Cable
from support.sockets import connect, read_to_end


@pytest.fixture
def container_without_ipv6(container, outside):
    for interface in ("all", "default", "lo", "eth0"):
        container.sysctl(f"net.ipv6.conf.{interface}.disable_ipv6", 1)
    return container


def ask(outside, port):
    with connect(outside, Cable.CONTAINER, port) as client:
        client.sendall(b"hello")
        return read_to_end(client)


@pytest.mark.parametrize("route, port", [("8080:8000", 8080), ("8000", 8000)])
@pytest.mark.parametrize("first", ["app", "loopbridge"])
def test_app_is_reached(container_without_ipv6, outside, loopbridge, route, port, first):
    if first == "loopbridge":
        program = loopbridge(route)
    with App(container_without_ipv6, greets(b"welcome")):
        if first == "app":
            program = loopbridge(route)
        for _ in range(5):
            assert ask(outside, port) == (b"welcome hello", None)
    assert not [line for line in program.log if line["level"] == "error"]


def test_clients_are_held_without_ipv6(container_without_ipv6, outside, loopbridge):
    """Trying ::1 gives another error than a refusal; the clients wait all the same."""
    program = loopbridge("8080:8000")
    client = connect(outside, Cable.CONTAINER, 8080)
    client.sendall(b"hello")
    program.wait_for_message("not listening")
    with App(container_without_ipv6, greets(b"welcome")):
        assert read_to_end(client) == (b"welcome hello", None)
    client.close()


def test_switched_off_while_it_runs(container, outside, loopbridge):
    """The IPv6 addresses go, the IPv4 ones stay."""
    program = loopbridge("8000")
    with App(container, greets(b"welcome")):
        for interface in ("lo", "eth0"):
            container.sysctl(f"net.ipv6.conf.{interface}.disable_ipv6", 1)
        program.wait_for_message("no longer listening on", Cable.CONTAINER_V6)
        assert ask(outside, 8000) == (b"welcome hello", None)
