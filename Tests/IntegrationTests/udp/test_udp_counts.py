"""Datagrams in metrics and status: those that were carried, and those that were dropped, by cause."""

import signal

import pytest

from support.admin import PORT, ask as ask_admin, metrics
from support.datagrams import DatagramApp, ask, client
from support.namespaces import Cable
from support.waiting import wait_until

ADMIN = ("--admin-listen", f"127.0.0.1:{PORT}")
ROUTE = '{route="0.0.0.0:8053/udp"'


def value(container, family, **labels):
    told = ",".join(f'{name}="{value}"' for name, value in labels.items())
    return metrics(container).get(f"loopbridge_{family}{ROUTE}{',' if told else ''}{told}}}", 0)


def failures(container):
    """Returns the count of each cause, by the metrics."""
    start = f"loopbridge_failures_total{ROUTE},cause="
    return {name[len(start) + 1:-2]: count for name, count in metrics(container).items()
            if name.startswith(start) and count > 0}


def status_agrees(container):
    """Whether the status tells the same, while nothing happens."""
    route, = ask_admin(container, "/status.json").json()["routes"]
    told = {failure["cause"]: failure["count"] for failure in route["failures"] if failure["explanation"]}
    return told == failures(container) and route["totals"]["failures"] == sum(told.values())


def test_what_was_carried(container, outside, loopbridge):
    program = loopbridge("--idle-timeout", "2s", *ADMIN, "8053:5300/udp")
    with DatagramApp(container, answer=lambda data: [data, data * 2]), client(outside, Cable.CONTAINER) as asking:
        assert ask(asking) == b"hello" and asking.recv(100) == b"hellohello"
        for underway in (1, 0):
            expected = {
                ("datagrams_total", "to_app"): 1, ("datagrams_total", "to_client"): 2,
                ("bytes_total", "to_app"): 5, ("bytes_total", "to_client"): 15}
            counts = {(family, way): value(container, family, direction=way) for family, way in expected}
            assert counts == expected
            assert value(container, "connections_total") == 1
            wait_until(lambda: value(container, "connections") == underway, f"{underway} flows are there")
            route, = ask_admin(container, "/status.json").json()["routes"]
            assert route["protocol"] == "udp" and route["upstream_connections"]["count"] == underway
            totals = route["totals"]
            assert (totals["datagrams_to_app"], totals["datagrams_to_client"]) == (1, 2)
            if underway:
                # A flow that has ended counts as before.
                program.wait_for_closed()
        assert failures(container) == {}


def test_above_the_bound(container, outside, loopbridge):
    loopbridge("--max-connections", "1", *ADMIN, "8053:5300/udp")
    with DatagramApp(container), client(outside, Cable.CONTAINER) as known, client(outside, Cable.CONTAINER) as late:
        for _ in range(2):
            assert ask(known) == b"hello"
        for _ in range(3):
            late.send(b"me too")
        wait_until(lambda: failures(container) == {"flow_limit": 3}, "each is counted")
        assert value(container, "connections_total") == 1 and status_agrees(container)


@pytest.mark.parametrize("upstream", ["5300", "127.0.0.1:5300"])
def test_nobody_listens(container, outside, loopbridge, upstream):
    """Each datagram is one failure, wherever else it was tried."""
    loopbridge(*ADMIN, f"8053:{upstream}/udp")
    with client(outside, Cable.CONTAINER) as asking:
        for count in range(1, 4):
            asking.send(b"hello")
            wait_until(lambda: failures(container) == {"app_not_listening": count}, "it is counted")
    assert status_agrees(container)


def test_more_than_there_is_room_for(container, outside, loopbridge):
    """The kernel drops what comes while nobody takes it, and tells how many that were."""
    program = loopbridge(*ADMIN, "8053:5300/udp")
    sent = 20_000
    with DatagramApp(container) as app, client(outside, Cable.CONTAINER) as asking:
        assert ask(asking) == b"hello"
        program.process.send_signal(signal.SIGSTOP)
        try:
            for _ in range(sent):
                asking.send(b"hello")
        finally:
            program.process.send_signal(signal.SIGCONT)

        def settled():
            dropped = failures(container).get("receive_buffer_full", 0)
            return dropped > 0 and dropped + value(container, "datagrams_total", direction="to_app") == sent + 1
        wait_until(settled, "each is carried or counted")
        assert app.count > 0 and status_agrees(container)
