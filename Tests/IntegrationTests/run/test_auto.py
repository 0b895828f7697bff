"""`loopbridge auto`: whatever listens on loopback only in this network namespace is bridged."""

import pytest

from support.apps import App, greets
from support.namespaces import Cable
from support.sockets import connect, read_to_end
from support.waiting import stays_true, wait_until


def ask(outside, port, host=Cable.CONTAINER):
    with connect(outside, host, port) as client:
        client.sendall(b"hello")
        return read_to_end(client)[0]


def wait_for_bridges(program, *ports):
    wait_until(lambda: sorted(program.bridged()) == sorted(ports), f"{ports} are bridged")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "127.0.0.5"])
def test_anybody_s_listener_comes_and_goes(container, outside, auto, address):
    program = auto()
    for round in range(2):
        with App(container, greets(b"welcome"), address=address):
            wait_until(lambda: len(program.bridged()) == round + 1, "it is bridged")
            assert ask(outside, 8000) == ask(outside, 8000, Cable.CONTAINER_V6) == b"welcome hello"
        program.wait_for_message("no longer forwarding", count=round + 1)
        wait_until(lambda: not container.listens_on(8000), "the bridge has gone")


def test_clients_have_addresses_of_their_own_where_the_app_is_on_ipv4(container, outside, auto):
    """A listener that is found may be on ::1, which no configuration could have forbidden."""
    def names_its_peer(connection):
        connection.recv(100)
        connection.sendall(connection.getpeername()[0].encode())

    program = auto("--source", "per_client")
    for port, address, seen in ((8000, "127.0.0.1", b"127.17.0.1"), (8001, "::1", b"::1")):
        with App(container, names_its_peer, address=address, port=port):
            wait_until(lambda: port in program.bridged(), "it is bridged")
            assert ask(outside, port) == ask(outside, port) == seen
    warnings = [line["route"] for line in program.messages("does not see clients by addresses of their own")]
    assert warnings == ["auto:8001"]


def test_what_is_not_bridged(container, outside, auto):
    program = auto()
    with App(container, greets(b"dns"), address="127.0.0.11", port=8001), \
            App(container, greets(b"node"), port=9229), \
            App(container, greets(b"everywhere"), address="0.0.0.0", port=8002), \
            App(container, greets(b"inside"), port=8003), \
            App(container, greets(b"outside"), address=Cable.CONTAINER, port=8003), \
            App(container, greets(b"bridged")):
        wait_for_bridges(program, 8000)
        stays_true(lambda: program.bridged() == [8000], "nothing else is", 0.3)
        assert ask(outside, 8003) == b"outside hello"
        assert len(program.messages("not bridging")) == len(program.messages("not bridging port 9229")) + 1 == 2


@pytest.mark.parametrize("options, bridged", [
    (["--only", "9229,8001"], [8001, 9229]), (["--except", "8001"], [8000])])
def test_chosen_ports(container, outside, auto, options, bridged):
    program = auto(*options)
    with App(container, greets(b"a")), App(container, greets(b"b"), port=8001), App(container, greets(b"c"), port=9229):
        wait_for_bridges(program, *bridged)
        stays_true(lambda: sorted(program.bridged()) == bridged, "nothing else is", 0.3)


@pytest.mark.parametrize("route", ["8000", f"{Cable.CONTAINER}:8000:127.0.0.1:8000", "8000:9000"])
def test_a_route_s_port_is_not_bridged_again(container, outside, auto, route):
    """Routes are carried in addition, and come first."""
    program = auto(route)
    program.wait_until_listening()
    with App(container, greets(b"app")) if route != "8000:9000" else App(container, greets(b"app"), port=9000), \
            App(container, greets(b"other"), port=8001):
        wait_until(lambda: 8001 in program.bridged(), "the other one is bridged")
        assert ask(outside, 8000) == b"app hello"
        assert 8000 not in program.bridged()
        assert not [line for line in program.log if line["level"] in ("warning", "error")], program.describe()


def test_its_own_listeners_are_left_alone(container, outside, auto):
    program = auto("127.0.0.1:9000:127.0.0.1:8000")
    with App(container, greets(b"app")):
        wait_for_bridges(program, 8000)
        stays_true(lambda: program.bridged() == [8000], "nothing else is", 0.3)
