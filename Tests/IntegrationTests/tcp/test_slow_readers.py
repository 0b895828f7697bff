"""Thousands of clients that read nothing cost little memory, and slow nobody else down."""

import time

import pytest

from support.apps import App, sends_what_is_asked
from support.namespaces import Cable
from support.settings import IS_SANITIZED
from support.sockets import connect, read_exactly
from support.waiting import wait_until

MIB = 1 << 20
CLIENTS = 2000


def download(outside, count):
    """Downloads so many bytes; returns how long that took."""
    started = time.monotonic()
    with connect(outside, Cable.CONTAINER, 8080) as client:
        client.sendall(b"%d\n" % count)
        read_exactly(client, count)
    return time.monotonic() - started


@pytest.mark.load
@pytest.mark.limit(180)
@pytest.mark.skipif(IS_SANITIZED, reason="a sanitizer takes memory of its own")
@pytest.mark.parametrize("workers", ["1", "2"])
def test_memory_is_bounded_and_given_back(container, outside, loopbridge, workers):
    # Keeps the kernel's own buffers, which are not what is tested, within what the machine has.
    for namespace in (container, outside):
        namespace.sysctl("net.ipv4.tcp_wmem", "4096 65536 131072")
        namespace.sysctl("net.ipv4.tcp_rmem", "4096 65536 131072")
    program = loopbridge("--workers", workers, "8080:8000")
    with App(container, sends_what_is_asked) as app:
        download(outside, 64 * MIB)
        idle = program.memory("VmRSS")
        slow = []
        for _ in range(CLIENTS):
            client = connect(outside, Cable.CONTAINER, 8080, receive_buffer=4096)
            client.sendall(b"%d\n" % (8 * MIB))
            slow.append(client)
        wait_until(lambda: app.accepted == CLIENTS + 1, "all have reached the app", limit=20)
        program.wait_until_quiet()
        full = program.memory("VmRSS")
        assert program.memory("VmHWM") < 150 * MIB, f"{program.memory('VmHWM') / MIB:.0f} MiB at the most"

        # One more is served as if the others were not there.
        assert download(outside, 64 * MIB) < 20
        assert program.memory("VmHWM") < 150 * MIB

        # And a slow one gets every byte when it begins to read.
        slow[0].settimeout(20)
        assert read_exactly(slow[0], 8 * MIB).count(0) == 8 * MIB

        for client in slow:
            client.close()
        wait_until(lambda: app.connections == 0, "the app has lost them", limit=20)
        program.wait_for_closed(CLIENTS + 2, limit=20)
        wait_until(
            lambda: program.memory("VmRSS") < idle + 16 * MIB,
            f"memory falls again: {idle / MIB:.0f} MiB before, {full / MIB:.0f} in between, "
            f"{program.memory('VmRSS') / MIB:.0f} after")
