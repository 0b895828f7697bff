"""The cost of loopbridge while nothing happens. The figures hold for the program that is shipped."""


import pytest

from support.apps import AppInHand
from support.namespaces import Cable
from support.settings import IS_RELEASE
from support.sockets import connect, read_exactly

pytestmark = pytest.mark.skipif(not IS_RELEASE, reason="LOOPBRIDGE_RELEASE=1 says that it is the release build")

KB, MB = 1000, 1000 * 1000
CONNECTIONS = 5000


def test_memory_of_an_idle_process(outside, loopbridge):
    program = loopbridge("8080:8000")
    assert program.memory("Anonymous") <= 4 * MB
    # The rest are pages of the program's file, which the system has but once and can drop.
    assert program.memory("VmRSS") <= 18 * MB


def test_idle_process_sleeps(outside, loopbridge):
    program = loopbridge("8000")
    program.wait_until_asleep()
    assert program.wake_ups_within(5) <= 5


@pytest.mark.load
@pytest.mark.limit(180)
def test_idle_connections(container, outside, loopbridge):
    """At most 1.5 kB of the process's memory each, and no wake-ups."""
    program = loopbridge("8080:8000")
    clients = []
    with AppInHand(container) as app:
        before = program.memory("Anonymous")
        for _ in range(CONNECTIONS):
            client = connect(outside, Cable.CONTAINER, 8080)
            client.sendall(b"a")
            inside = app.next()
            assert read_exactly(inside, 1) == b"a"
            clients.append(client)
        program.wait_until_asleep()
        each = (program.memory("Anonymous") - before) / CONNECTIONS
        assert each <= 1.5 * KB, f"{each:.0f} bytes each"
        assert program.wake_ups_within(5) <= 5
        for client in clients:
            client.close()
