"""A real name server behind the bridge, asked more than once."""

import os
import shutil
import socket
import subprocess
import threading

import pytest

from support.datagrams import client, dns_answer, dns_query
from support.namespaces import Cable
from support.processes import Process
from support.settings import DNS_QUERIES
from support.waiting import wait_until

DIG = shutil.which("dig")
DNSMASQ = shutil.which("dnsmasq", path=os.environ["PATH"] + ":/usr/sbin")

pytestmark = pytest.mark.skipif(not DNSMASQ, reason="takes dnsmasq (dnsmasq-base)")


@pytest.fixture
def dnsmasq(container):
    """Answers for nN.test, N from 0 to 255, with 10.77.0.N, on 127.0.0.1:5300; long.test has a text of 1000 bytes."""
    server = Process(container.command(
        DNSMASQ, "--keep-in-foreground", "--conf-file=/dev/null", "--port=5300", "--listen-address=127.0.0.1",
        "--bind-interfaces", "--no-resolv", "--no-hosts", "--user=root", "--pid-file=", "--cache-size=0",
        "--txt-record=long.test," + ",".join(digit * 200 for digit in "12345"),
        "--address=/test/10.77.0.1", *(f"--address=/n{number}.test/10.77.{number >> 8}.{number & 255}"
                                       for number in range(256))))
    with client(container, "127.0.0.1", 5300, timeout=0.2) as asking:
        def answers():
            try:
                asking.send(dns_query(1, "n1.test"))
                return dns_answer(asking.recv(512))
            except OSError:
                return None
        wait_until(answers, "dnsmasq answers")
    yield server
    server.stop()


def ask_many(namespace, address, port, seed, count, failures):
    """Asks one question after the other, from a new port now and then; each must be answered, rightly."""
    asking = None
    for number in range(count):
        if number % 20 == 0:
            if asking:
                asking.close()
            asking = client(namespace, address, port, timeout=5)
        place = (seed * 7919 + number) & 255
        identity = (seed << 12 ^ number) & 0xFFFF
        try:
            asking.send(dns_query(identity, f"n{place}.test"))
            got = dns_answer(asking.recv(512))
        except OSError as error:
            failures.append((seed, number, error))
            return
        if got != (identity, 0, f"10.77.0.{place}"):
            failures.append((seed, number, got))
            return
    asking.close()


@pytest.mark.limit(300)
@pytest.mark.parametrize("address", [Cable.CONTAINER, Cable.CONTAINER_V6])
def test_every_question_is_answered_rightly(container, outside, loopbridge, dnsmasq, address):
    loopbridge("8053:5300/udp")
    failures = []
    threads = [
        threading.Thread(target=ask_many, args=(outside, address, 8053, seed, DNS_QUERIES // 8, failures))
        for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


@pytest.mark.limit(120)
def test_a_burst_of_questions(container, outside, loopbridge, dnsmasq):
    """Many at once from one client, as a resolver asks."""
    loopbridge("8053:5300/udp")
    with client(outside, Cable.CONTAINER) as asking:
        for start in range(0, 2000, 50):
            for number in range(start, start + 50):
                asking.send(dns_query(number, f"n{number & 255}.test"))
            seen = {dns_answer(asking.recv(512)) for _ in range(50)}
            assert seen == {(number, 0, f"10.77.0.{number & 255}") for number in range(start, start + 50)}


def test_names_that_are_not_there(container, outside, loopbridge, dnsmasq):
    loopbridge("8053:5300/udp")
    with client(outside, Cable.CONTAINER) as asking:
        asking.send(dns_query(7, "nowhere.example"))
        assert dns_answer(asking.recv(512))[1] == 5  # refused: no server to ask
        asking.send(b"\0\1garbage")
        with pytest.raises(socket.timeout):
            asking.settimeout(0.3)
            asking.recv(512)
        asking.settimeout(5)
        asking.send(dns_query(8, "n8.test"))
        assert dns_answer(asking.recv(512)) == (8, 0, "10.77.0.8")


@pytest.mark.skipif(not DIG, reason="takes dig (bind9-dnsutils)")
@pytest.mark.parametrize("address", [Cable.CONTAINER, Cable.CONTAINER_V6])
def test_dig(outside, loopbridge, dnsmasq, address):
    """One route for each protocol: an answer that is too long for a datagram is asked for once more over TCP."""
    loopbridge("8053:5300/udp", "8053:5300")

    def dig(*words):
        result = subprocess.run(
            outside.command(DIG, f"@{address}", "-p", "8053", "+tries=1", "+timeout=10", *words), capture_output=True,
            text=True, stdin=subprocess.DEVNULL, timeout=30)
        assert result.returncode == 0, result.stdout + result.stderr
        assert f"SERVER: {address}#8053({address}) " in result.stdout
        return result.stdout

    said = dig("n7.test")
    assert "(UDP)" in said and "\tA\t10.77.0.7\n" in said
    said = dig("+tcp", "n9.test")
    assert "(TCP)" in said and "\tA\t10.77.0.9\n" in said
    text = " ".join(f'"{digit * 200}"' for digit in "12345")
    said = dig("long.test", "txt")
    assert "(UDP)" in said and text in said
    said = dig("+noedns", "+ignore", "long.test", "txt")
    assert "(UDP)" in said and " tc " in said and text not in said
    said = dig("+noedns", "long.test", "txt")
    assert "Truncated, retrying in TCP mode" in said and "(TCP)" in said and text in said
