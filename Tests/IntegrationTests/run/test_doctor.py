"""`loopbridge doctor`: what listens here, who can reach it, and the command that helps."""

import json
import socket
import subprocess

import pytest

from support.apps import App, greets
from support.datagrams import DatagramApp, ask as ask_datagram, client
from support.namespaces import Cable
from support.settings import PROGRAM
from support.sockets import connect, read_to_end


def doctor(container, *options, wrapper=()):
    result = subprocess.run(
        container.command(*wrapper, PROGRAM, "doctor", *options), capture_output=True, text=True, timeout=30)
    assert result.returncode == 0 and not result.stderr, result
    return result.stdout


def report(container, **options):
    return json.loads(doctor(container, "--json", **options))


def ask(outside, port):
    with connect(outside, Cable.CONTAINER, port) as client:
        client.sendall(b"hello")
        return read_to_end(client)[0]


def test_nothing_listens(container, outside):
    assert "Nothing listens here" in doctor(container)
    found = report(container)
    assert found["listeners"] == [] and found["hidden_owners"] == 0
    assert {Cable.CONTAINER, Cable.CONTAINER_V6} <= set(found["outside_addresses"])


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "127.0.0.5"])
def test_the_command_helps(container, outside, loopbridge, address):
    with App(container, greets(b"app"), address=address):
        listener, = report(container)["listeners"]
        assert (listener["address"], listener["port"], listener["reachable"]) == (address, 8000, False)
        assert listener["processes"][0]["name"] in listener["explanation"]
        text = doctor(container)
        assert "cannot be reached from outside" in text and f"Fix:  {listener['command']}\n" in text
        assert max(map(len, text.splitlines())) <= 80
        program, *arguments = listener["command"].split()
        assert program == "loopbridge"
        loopbridge(*arguments)
        assert ask(outside, 8000) == b"app hello"
        after = report(container)["listeners"]
        assert len(after) > 1 and all(each["reachable"] and "command" not in each for each in after), after
        assert "yes, bridged" in doctor(container)


@pytest.mark.parametrize("address", ["0.0.0.0", "::", Cable.CONTAINER])
def test_reachable(container, outside, address):
    with App(container, greets(b"app"), address=address):
        listener, = report(container)["listeners"]
        assert listener["reachable"] and "command" not in listener
        assert "The outside can reach everything that it should" in doctor(container)


def test_docker_s_resolver(container, outside):
    with App(container, greets(b"dns"), address="127.0.0.11", port=35677):
        listener, = report(container)["listeners"]
        assert not listener["reachable"] and "command" not in listener
        assert "no, rightly" in doctor(container)


def test_somebody_else_answers(container, outside, loopbridge):
    with App(container, greets(b"inside")), App(container, greets(b"outside"), address=Cable.CONTAINER):
        inside = next(each for each in report(container)["listeners"] if each["address"] == "127.0.0.1")
        assert not inside["reachable"]
        loopbridge(*inside["command"].split()[1:])
        assert ask(outside, 18000) == b"inside hello"


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "127.0.0.5"])
def test_the_command_helps_datagrams(container, outside, loopbridge, address):
    with DatagramApp(container, address=address, port=53):
        listener, = report(container)["listeners"]
        assert (listener["address"], listener["port"], listener["protocol"]) == (address, 53, "udp")
        assert not listener["reachable"] and listener["processes"][0]["name"] in listener["explanation"]
        text = doctor(container)
        assert f"Fix:  {listener['command']}\n" in text and "/udp  " in text
        assert max(map(len, text.splitlines())) <= 80
        loopbridge(*listener["command"].split()[1:])
        with client(outside, Cable.CONTAINER, port=53) as asking:
            assert ask_datagram(asking) == b"hello"
        after = report(container)["listeners"]
        assert len(after) > 1 and all(each["reachable"] and "command" not in each for each in after), after


def test_sockets_that_only_ask(container, outside):
    """A process that has asked somebody by UDP has a socket that anybody may write to; nobody would want to reach it."""
    with DatagramApp(container, address=Cable.CONTAINER, port=53), \
            container.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.sendto(b"hello", (Cable.CONTAINER, 53))
        assert [each["port"] for each in report(container)["listeners"]] == [53]


def test_debugger(container, outside):
    with App(container, greets(b"node"), port=9229):
        listener, = report(container)["listeners"]
        assert "owns the process" in listener["caution"]
        assert "Mind:" in doctor(container)


def test_unprivileged(container, outside, tmp_path):
    """It sees the sockets, and says that it does not see whose they are."""
    program = tmp_path / "loopbridge"
    program.write_bytes(open(PROGRAM, "rb").read())
    for folder in (tmp_path, *list(tmp_path.parents)[:-2]):
        folder.chmod(0o755)
    program.chmod(0o755)
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"]
    with App(container, greets(b"app")):
        result = subprocess.run(
            container.command(*nobody, str(program), "doctor"), capture_output=True, text=True, timeout=30)
        assert result.returncode == 0, result.stderr
        assert "(hidden)" in result.stdout and "hidden from this user" in result.stdout
        assert "Fix:  loopbridge 8000" in result.stdout
