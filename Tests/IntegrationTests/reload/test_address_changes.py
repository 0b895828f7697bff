"""A bridge on the app's own port follows the addresses that come and go, as with `docker network connect`."""

import errno

import pytest

from support.apps import App, echo, greets
from support.namespaces import Cable, Namespace
from support.sockets import connect, read_exactly, read_to_end
from support.waiting import stays_true, wait_until

SECOND = "172.17.0.9"
SECOND_V6 = "fd00:17::9"


def answers(outside, host):
    """Whether the app answers at this address."""
    try:
        with connect(outside, host, 8000, timeout=2) as client:
            client.sendall(b"hello")
            return read_to_end(client) == (b"welcome hello", None)
    except OSError:
        return False


def wait_until_opened(program, address, times=1):
    """Waits until the log says for so many times that it listens on an address that was added."""
    wait_until(
        lambda: sum(line["message"].startswith("listening on") for line in program.messages(address)) == times,
        f"it listens on {address}")


def listening_as_soon_as_possible(container, address):
    """An app on a port that somebody has just given up. A socket that is being closed has its port for a moment longer than the kernel's
    table shows it, and for as long as another process has the processor."""
    def started():
        try:
            return App(container, echo, address=address)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    return wait_until(started, f"port 8000 of {address} is free")


def add(container, address, *options):
    container.ip("addr", "add", address + ("/64" if ":" in address else "/24"), "dev", "eth0", *options)


def remove(container, address):
    container.ip("addr", "del", address + ("/64" if ":" in address else "/24"), "dev", "eth0")


@pytest.mark.parametrize("address, options", [
    (SECOND, []), (SECOND_V6, ["nodad"]), (SECOND_V6, [])], ids=["IPv4", "IPv6", "IPv6 with DAD"])
def test_added_and_removed(container, outside, loopbridge, address, options):
    program = loopbridge("8000")
    with App(container, echo) as app:
        with connect(outside, Cable.CONTAINER, 8000) as old:
            old.sendall(b"first")
            assert read_exactly(old, 5) == b"first"
            before = container.listens_on(8000)
            for round in range(3):
                add(container, address, *options)
                wait_until_opened(program, address, round + 1)
                wait_until(lambda: container.listens_on(8000) == before + 1, "one listener more")
                with connect(outside, address, 8000) as client:
                    client.sendall(b"hello")
                    assert read_exactly(client, 5) == b"hello"
                remove(container, address)
                program.wait_for_message("no longer listening on", address, count=round + 1)
                wait_until(lambda: container.listens_on(8000) == before, "one listener less")
            old.sendall(b"still")
            assert read_exactly(old, 5) == b"still"


def test_not_before_the_address_may_be_used(container, outside, loopbridge):
    """While its uniqueness is checked (DAD), an IPv6 address cannot be bound; nobody is to complain about that."""
    program = loopbridge("8000")
    add(container, SECOND_V6)
    wait_until_opened(program, SECOND_V6)
    assert "tentative" not in container.ip("addr", "show", "dev", "eth0", "to", SECOND_V6)
    assert not [line for line in program.log if line["level"] in ("warning", "error")]


def test_many_at_once(container, outside, loopbridge):
    program = loopbridge("8000")
    before = container.listens_on(8000)
    added = [f"172.17.0.{last}" for last in range(10, 60)]
    for address in added:
        add(container, address)
    wait_until(lambda: container.listens_on(8000) == before + len(added), "50 listeners more")
    with App(container, greets(b"welcome")):
        assert all(answers(outside, address) for address in added)
    for address in added:
        remove(container, address)
    wait_until(lambda: container.listens_on(8000) == before, "and 50 less")


def test_starts_without_an_address(container, loopbridge):
    program = loopbridge("8000", namespace=container)
    assert container.listens_on(8000) == 0
    outside = Namespace("outside")
    try:
        Cable(outside, container)
        wait_until_opened(program, Cable.CONTAINER)
        with App(container, greets(b"welcome")):
            wait_until(lambda: answers(outside, Cable.CONTAINER), "the app answers at the new IPv4 address")
            wait_until(lambda: answers(outside, Cable.CONTAINER_V6), "and at the IPv6 address")
    finally:
        outside.remove()


def test_link_local_addresses_are_left_out(container, outside, loopbridge):
    wait_until(lambda: "fe80::" in container.ip("-6", "addr", "show", "dev", "eth0", "-tentative"), "a link-local address")
    loopbridge("8000")
    listening = container.listening_addresses(8000)
    # /proc/net/tcp6 writes fe80:: as 000080FE.
    assert listening and not [address for address in listening if address.startswith("000080FE")]


def test_app_still_gets_its_port_after_an_address_has_gone(container, outside, loopbridge):
    """The bridge is there first, on an address that then goes; the app can listen nevertheless."""
    program = loopbridge("8000")
    add(container, SECOND)
    wait_until_opened(program, SECOND)
    remove(container, SECOND)
    program.wait_for_message("no longer listening on", SECOND)
    with App(container, greets(b"welcome")):
        assert answers(outside, Cable.CONTAINER)


def test_somebody_else_has_the_new_address_s_port(container, outside, loopbridge):
    """A clash is logged once, not again and again, and over as soon as the other one leaves."""
    program = loopbridge("8000")
    before = container.listens_on(8000)
    add(container, SECOND)
    wait_until_opened(program, SECOND)
    remove(container, SECOND)
    program.wait_for_message("no longer listening on", SECOND)
    # The workers close their sockets a moment later.
    wait_until(lambda: container.listens_on(8000) == before, "nobody listens there any more")
    container.sysctl("net.ipv4.ip_nonlocal_bind", 1)
    with listening_as_soon_as_possible(container, SECOND):
        add(container, SECOND)
        program.wait_for_message("cannot listen on", SECOND)
        stays_true(lambda: len(program.messages("cannot listen on", SECOND)) == 1, "each of the next tries is told of", 6)
    wait_until_opened(program, SECOND, 2)
