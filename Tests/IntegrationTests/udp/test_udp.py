"""Datagrams: what is carried stays what it is, and finds its way back."""

import random
import socket
import threading

import pytest

from support.apps import App, echo
from support.datagrams import LONGEST, DatagramApp, ask, client, hears_nothing, sockets
from support.loopbridge import run_to_end
from support.namespaces import Cable
from support.sockets import LOOPBACK, LOOPBACK_V6, connect
from support.waiting import wait_until

SIZES = [0, 1, 2, 511, 512, 1471, 1472, 1473, 4096, 9000, 16384, 32768, 65000, 65506, LONGEST]


@pytest.mark.parametrize("app_address", [LOOPBACK, LOOPBACK_V6])
@pytest.mark.parametrize("address", [Cable.CONTAINER, Cable.CONTAINER_V6])
def test_every_size_there_and_back(container, outside, loopbridge, address, app_address):
    loopbridge("8053:5300/udp")
    randomness = random.Random(7)
    with DatagramApp(container, address=app_address), client(outside, address) as asking:
        for size in SIZES + [randomness.randrange(LONGEST + 1) for _ in range(60)]:
            data = randomness.randbytes(size)
            assert ask(asking, data) == data


def test_datagrams_of_a_client_stay_in_order(container, outside, loopbridge):
    loopbridge("8053:5300/udp")
    with DatagramApp(container) as app, client(outside, Cable.CONTAINER) as asking:
        randomness = random.Random(3)
        expected = 0
        for start in range(0, 5000, 50):
            for number in range(start, start + 50):
                # Some of one size, which may travel together, and some of others.
                length = randomness.choice([0, 40, 40, 40, 40, 900])
                asking.send(number.to_bytes(4, "big") + bytes(length))
            for _ in range(50):
                assert int.from_bytes(asking.recv(70000)[:4], "big") == expected
                expected += 1
        assert app.count == 5000 and len(app.senders) == 1


def test_each_client_has_its_own_flow(container, outside, loopbridge):
    program = loopbridge("8053:5300/udp")
    with DatagramApp(container) as app:
        clients = [client(outside, Cable.CONTAINER) for _ in range(300)]
        for round in range(3):
            for number, asking in enumerate(clients):
                asking.send(b"%d of %d" % (number, round))
            for number, asking in enumerate(clients):
                assert asking.recv(100) == b"%d of %d" % (number, round)
        assert len(app.senders) == 300
        assert sockets(container, 5300, remote=True) == 300
        for asking in clients:
            asking.close()
    assert not program.closed()


@pytest.mark.parametrize("family", ["4", "6"])
def test_a_wildcard_answers_from_the_address_that_was_written_to(container, outside, loopbridge, family):
    more = ["172.17.0.77", "172.17.0.78"] if family == "4" else ["fd00:17::77", "fd00:17::78"]
    for address in more:
        container.ip("addr", "add", f"{address}/{24 if family == '4' else 64}", "dev", "eth0",
                     *(["nodad"] if family == "6" else []))
    loopbridge("8053:5300/udp")
    own = Cable.CONTAINER if family == "4" else Cable.CONTAINER_V6
    with DatagramApp(container) as app:
        # One socket that is not connected, so that it would hear an answer from anywhere.
        kind = socket.AF_INET if family == "4" else socket.AF_INET6
        with outside.socket(kind, socket.SOCK_DGRAM) as asking:
            for address in [*more, own, *more]:
                asking.sendto(address.encode(), (address, 8053))
                data, sender = asking.recvfrom(100)
                assert (data.decode(), sender[:2]) == (address, (address, 8053))
        # An address and port of the client with each of ours is a flow of its own.
        assert len(app.senders) == 3


def test_the_same_port(container, outside, loopbridge):
    loopbridge("5300/udp")
    with DatagramApp(container), client(outside, Cable.CONTAINER, 5300) as asking:
        assert ask(asking) == b"hello"
        before = sockets(container, 5300)
        container.ip("addr", "add", "172.17.0.99/24", "dev", "eth0")
        wait_until(lambda: sockets(container, 5300) > before, "the new address is listened on")
        with client(outside, "172.17.0.99", 5300) as other:
            assert ask(other) == b"hello"


def test_tcp_and_udp_share_a_port(container, outside, loopbridge):
    loopbridge("8053:5300", "8053:5300/udp")
    with DatagramApp(container), App(container, echo, port=5300):
        with client(outside, Cable.CONTAINER) as asking, connect(outside, Cable.CONTAINER, 8053) as stream:
            assert ask(asking) == b"hello"
            stream.sendall(b"hello")
            assert stream.recv(100) == b"hello"


def test_clients_may_have_addresses_of_their_own(container, outside, loopbridge):
    program = loopbridge("--source", "per_client", "8053:127.0.0.1:5300/udp")
    with DatagramApp(container) as app:
        for address in (Cable.CONTAINER, Cable.CONTAINER_V6):
            with client(outside, address) as asking:
                assert ask(asking) == b"hello"
        seen = {address for address, _ in app.senders}
        assert "127.17.0.1" in seen and len(seen) == 2
    program.terminate()
    assert any(line["source"].startswith("127.17.0.1:") for line in program.closed())


# The app's end of it


def test_a_refusal_ends_the_flow_and_the_next_datagram_begins_another(container, outside, loopbridge):
    program = loopbridge("8053:127.0.0.1:5300/udp")
    with client(outside, Cable.CONTAINER) as asking:
        with DatagramApp(container):
            assert ask(asking) == b"hello"
        # As with a datagram that is lost, the client hears nothing.
        asking.send(b"anybody?")
        assert program.wait_for_closed()["end"] == "the app is not listening"
        assert hears_nothing(asking)
        assert sockets(container, 5300, remote=True) == 0
        with DatagramApp(container) as app:
            assert ask(asking) == b"hello"
            assert app.count == 1
    assert len(program.messages("the app at 127.0.0.1:5300 is not listening")) == 1


def test_an_app_that_moves_to_the_other_loopback_address_loses_nothing(container, outside, loopbridge):
    loopbridge("8053:5300/udp")
    for address in (LOOPBACK, LOOPBACK_V6, LOOPBACK):
        with DatagramApp(container, address=address):
            for _ in range(20):
                with client(outside, Cable.CONTAINER) as asking:
                    assert ask(asking) == b"hello"


def test_no_app_at_all(container, outside, loopbridge):
    program = loopbridge("8053:5300/udp")
    with client(outside, Cable.CONTAINER) as asking:
        for _ in range(200):
            asking.send(b"anybody?")
        assert hears_nothing(asking)
        assert sockets(container, 5300, remote=True) == 0
        assert len(program.messages("the app at localhost:5300 is not listening")) <= 2  # a worker's each
        with DatagramApp(container):
            assert ask(asking) == b"hello"


def test_one_answer_or_many_or_none(container, outside, loopbridge):
    loopbridge("8053:5300/udp")
    with DatagramApp(container, answer=lambda data: [data + b"%d" % number for number in range(int(data))]):
        with client(outside, Cable.CONTAINER) as asking:
            for count in (3, 0, 150, 1):
                asking.send(b"%d" % count)
                assert [asking.recv(100) for _ in range(count)] == [b"%d%d" % (count, number) for number in range(count)]
            assert hears_nothing(asking)


def test_garbage(container, outside, loopbridge):
    """Whatever is in a datagram is nobody's business."""
    program = loopbridge("8053:5300/udp")
    randomness = random.Random(1)
    with DatagramApp(container) as app:
        with client(outside, Cable.CONTAINER) as asking:
            for _ in range(300):
                data = randomness.randbytes(randomness.randrange(200))
                assert ask(asking, data) == data
        # A client that is gone when its answer comes: its kernel refuses, and nobody else minds.
        for _ in range(100):
            with client(outside, Cable.CONTAINER) as leaving:
                leaving.send(b"bye")
        wait_until(lambda: app.count == 400, "all have arrived")
        with client(outside, Cable.CONTAINER) as asking:
            assert ask(asking) == b"hello"
    assert not [line for line in program.log if line["level"] in ("warning", "error")]


def test_two_of_us_do_not_share_a_port(container, loopbridge):
    first = loopbridge("8053:5300/udp")
    second = run_to_end(container, "8053:5300/udp")
    assert second.code == 71
    assert any(f"the port is taken by loopbridge (pid {first.pid})" in line["message"] for line in second.log)


@pytest.mark.limit(120)
def test_a_crowd_on_many_threads(container, outside, loopbridge):
    loopbridge("--workers", "4", "8053:5300/udp")
    failures = []

    def visit(seed):
        randomness = random.Random(seed)
        try:
            for _ in range(20):
                with client(outside, Cable.CONTAINER) as asking:
                    for _ in range(randomness.randrange(1, 20)):
                        data = randomness.randbytes(randomness.choice([0, 10, 700, 3000, 20000]))
                        if ask(asking, data) != data:
                            failures.append("a wrong answer")
        except OSError as error:
            failures.append(error)

    with DatagramApp(container):
        threads = [threading.Thread(target=visit, args=(seed,)) for seed in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not failures
