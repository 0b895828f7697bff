"""`run` knows when its app was killed: an answer that only ends with its connection must not look whole then."""

import signal

import pytest

from support.http import Client, get
from support.programs.web_apps import APPS
from support.sockets import read_to_end
from support.wrapped import PYTHON

APP = str(APPS / "without_lengths.py")
#: Answers in flight when the app is killed; each is a race between the end of its connection and that of the process.
CLIENTS = 60


@pytest.fixture
def app(run):
    return lambda: run([PYTHON, APP], "--workers", "2", "8080:8000/http").wait_until_listening()


def wait_for_app(outside):
    with Client(outside) as client:
        assert client.ask(get("/whole")).body == b"all of it"


def halves(outside, version):
    clients = [Client(outside).send(get("/half", version=version)) for _ in range(CLIENTS)]
    for client in clients:
        received = b""
        while b"half of it" not in received:
            received += client.connection.recv(1000)
    return clients


def ends(clients, version):
    """Returns the end of each client's response: visibly cut off, by a reset or where it comes in chunks without the last one, or as a
    whole one."""
    result = []
    for client in clients:
        data, error = read_to_end(client.connection)
        is_cut = isinstance(error, ConnectionResetError) if version == "1.0" else b"0\r\n\r\n" not in data
        result.append("cut" if is_cut else (data, error))
        client.close()
    return result


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("kind", ["", "/threads", "/memory"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_killed(outside, app, version, kind, number):
    program = app()
    wait_for_app(outside)
    if kind:
        Client(outside).send(get(kind)).response()
    clients = halves(outside, version)
    Client(outside).send(get(f"/killed-by/{number}"))
    assert ends(clients, version) == ["cut"] * CLIENTS
    assert program.wait() == 128 + number
    assert [line["end"] for line in program.requests() if line["target"] == "/half"] == [
        "the app ended the connection in its answer"] * CLIENTS


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_whole_answers_are_whole(outside, app, version):
    """While the app lives, and when it ends by itself: nothing tells then that it had more to say."""
    program = app()
    wait_for_app(outside)
    with Client(outside) as client:
        for _ in range(20 if version == "1.1" else 1):
            assert client.ask(get("/whole", version=version)).body == b"all of it"
    clients = halves(outside, version)
    Client(outside).send(get("/exit/3"))
    assert all(end[1] is None for end in ends(clients, version))
    assert program.wait() == 3


def test_an_answer_that_ended_before_is_whole(outside, app):
    program = app()
    wait_for_app(outside)
    with Client(outside) as client:
        client.send(get("/whole", version="1.0"))
        program.wait_for_request(2)
        Client(outside).send(get(f"/killed-by/{signal.SIGKILL}"))
        assert program.wait() == 128 + signal.SIGKILL
        data, error = read_to_end(client.connection)
        assert data.endswith(b"all of it") and error is None
