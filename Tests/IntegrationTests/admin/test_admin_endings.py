"""The admin port while connections end in every way: descriptors are closed and used anew, and every question is answered."""

import contextlib
import signal
import socket
import threading

import pytest

from support.admin import PORT, Answer, ask
from support.apps import App, echo
from support.configuration import ConfigurationFile, route
from support.http import Reader
from support.namespaces import Cable
from support.sockets import LOOPBACK, connect, read_exactly, read_to_end, reset
from support.waiting import wait_until

PATHS = ["/doctor.json", "/metrics", "/", "/healthz", "/status.json", "/history.json", "/configuration.yaml", "/readyz"]
SECOND_PORT = 9902


def request(path, *fields):
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: a", *fields, "", ""]).encode()


# Ends of a connection, each at a path of its own.

def closes_at_once(client, path):
    client.close()


def resets_at_once(client, path):
    reset(client)


def closes_within_the_head(client, path):
    client.sendall(request(path)[:-5])
    client.close()


def resets_within_the_head(client, path):
    client.sendall(request(path)[:-5])
    reset(client)


def closes_before_the_answer(client, path):
    client.sendall(request(path))
    client.close()


def resets_before_the_answer(client, path):
    client.sendall(request(path))
    reset(client)


def closes_within_the_answer(client, path):
    client.sendall(request(path) * 4)
    client.recv(100)
    client.close()


def resets_within_the_answer(client, path):
    client.sendall(request(path) * 4)
    client.recv(100)
    reset(client)


def finishes_sending_first(client, path):
    client.sendall(request(path))
    client.shutdown(socket.SHUT_WR)
    assert Reader(client).message().status in (200, 503)
    assert read_to_end(client)[1] is None
    client.close()


def finishes_without_a_word(client, path):
    client.shutdown(socket.SHUT_WR)
    assert read_to_end(client) == (b"", None)
    client.close()


def asks_to_close(client, path):
    client.sendall(request(path, "Connection: close"))
    assert Reader(client).message().status in (200, 503)
    assert read_to_end(client)[1] is None
    client.close()


def asks_again_and_again(client, path):
    reader = Reader(client)
    for _ in range(3):
        client.sendall(request(path))
        assert reader.message().status in (200, 503)
    client.close()


def sends_nonsense(client, path):
    client.sendall(b"nonsense\r\n\r\n" * 10)
    assert read_to_end(client)[0].startswith(b"HTTP/1.1 400 ")
    client.close()


def sends_a_body(client, path):
    client.sendall(request(path, "Content-Length: 3") + b"abc")
    assert Reader(client).message().status in (200, 503)
    client.close()


ENDINGS = [
    closes_at_once, resets_at_once, closes_within_the_head, resets_within_the_head, closes_before_the_answer,
    resets_before_the_answer, closes_within_the_answer, resets_within_the_answer, finishes_sending_first,
    finishes_without_a_word, asks_to_close, asks_again_and_again, sends_nonsense, sends_a_body]


def asked(container, path, *place):
    answer = ask(container, path, *place)
    assert isinstance(answer, Answer) and answer.status in (200, 503), (path, place, answer.status)


@pytest.mark.limit(150)
def test_every_question_is_answered_whatever_ended_before(container, outside, loopbridge):
    """The one who asks gets the descriptor's number of the one who has just left, and so do those who open something for
    the answer (/doctor.json) or for traffic."""
    program = loopbridge("8080:8000", "--admin-listen", f"0.0.0.0:{PORT}")
    with App(container, echo):
        before = program.settled_descriptors()
        for number, ending in enumerate(ENDINGS * 3):
            for path in PATHS[number % len(PATHS):][:2] + ["/doctor.json"]:
                ending(connect(container, LOOPBACK, PORT), path)
                with connect(outside, Cable.CONTAINER, 8080) as client:
                    client.sendall(b"x")
                    assert read_exactly(client, 1) == b"x"
                asked(container, path)
                asked(container, "/doctor.json")
        wait_until(lambda: program.open_descriptors() <= before, "the descriptors are given back")
    assert program.terminate() == 0


@pytest.mark.limit(150)
def test_many_ask_at_once_while_others_leave(container, loopbridge):
    program = loopbridge("8080:8000", "--admin-listen", f"0.0.0.0:{PORT}")
    failed = []

    def leave(endings):
        for number, ending in enumerate(endings):
            try:
                ending(connect(container, LOOPBACK, PORT), PATHS[number % len(PATHS)])
            except Exception as error:
                failed.append((ending.__name__, error))

    def keep_asking(count):
        for number in range(count):
            try:
                asked(container, PATHS[number % len(PATHS)])
            except Exception as error:
                failed.append(error)

    threads = [threading.Thread(target=leave, args=(ENDINGS[n:] + ENDINGS[:n],), daemon=True) for n in range(8)]
    threads += [threading.Thread(target=keep_asking, args=(40,), daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not failed
    assert program.terminate() == 0


@pytest.mark.limit(150)
def test_reloads_between_questions(container, loopbridge, tmp_path):
    """Sockets of the admin port that come and go, within a moment of connections that end."""
    path = str(tmp_path / "admin.sock")
    places = {
        f"{{ listen: {PORT} }}": [(LOOPBACK, PORT)],
        f"{{ listen: {PORT}, socket: {path} }}": [(LOOPBACK, PORT), (path,)],
        f"{{ socket: {path} }}": [(path,)],
        f"{{ listen: {SECOND_PORT}, socket: {path} }}": [(LOOPBACK, SECOND_PORT), (path,)],
    }
    file = ConfigurationFile(tmp_path, route(8080, 8000, "web"), admin=next(iter(places)))
    program = loopbridge("--config", file.path)
    reloads = 0
    now = [(LOOPBACK, PORT)]
    for number, ending in enumerate(ENDINGS * 2):
        settings = list(places)[(number + 1) % len(places)]
        for place in now:
            ending(connect(container, *place), PATHS[number % len(PATHS)])
            # Some are still at it when the socket goes.
            with contextlib.suppress(OSError), connect(container, *place) as leaving:
                leaving.sendall(request("/")[:-2])
                if number % 2:
                    leaving.sendall(b"\r\n")
        # A crowd leaves at once, so that whatever is opened next gets a number that was in use a moment ago.
        crowd = [connect(container, *now[0]) for _ in range(8)]
        for client in crowd:
            client.sendall(request("/healthz"))
            Reader(client).message()
        for client in crowd:
            client.close()
        file.set(route(8080, 8000, "web"), admin=settings)
        program.signal(signal.SIGHUP)
        reloads += 1
        program.wait_for_message("reloaded: ", count=reloads)
        now = places[settings]
        for place in now:
            wait_until(lambda place=place: can_connect(container, *place), "it listens")
            for question in ("/doctor.json", "/metrics", "/healthz"):
                asked(container, question, *place)
    assert program.terminate() == 0


def can_connect(container, *place):
    try:
        connect(container, *place).close()
        return True
    except OSError:
        return False


def test_silent_clients_are_let_go(container, loopbridge):
    """A client that sends no whole request, or does not take its response, is closed after a while; with the rest of the answer
    where it has just been told the end."""
    program = loopbridge("8080:8000", "--admin-listen", f"0.0.0.0:{PORT}")
    before = program.settled_descriptors()
    silent = [connect(container, LOOPBACK, PORT, timeout=40) for _ in range(3)]
    silent[1].sendall(b"GET / HT")
    silent[2].sendall(request("/healthz", "Connection: close"))
    assert read_to_end(silent[2])[0].endswith(b"ok\n")
    deaf = connect(container, LOOPBACK, PORT, receive_buffer=2048)
    with contextlib.suppress(TimeoutError):
        deaf.settimeout(0.2)
        deaf.sendall(request("/") * 300)
    wait_until(lambda: program.open_descriptors() <= before, "all are closed", limit=40)
    for client in silent[:2]:
        assert read_to_end(client) == (b"", None)
    for client in [*silent, deaf]:
        client.close()
    assert program.terminate() == 0


def test_silent_connections_make_way(container, loopbridge):
    """As many as there may be say nothing; a health check is answered all the same, and whoever has asked for something stays."""
    loopbridge("8080:8000", "--admin-listen", f"127.0.0.1:{PORT}")
    with contextlib.ExitStack() as stack:
        asking = stack.enter_context(connect(container, LOOPBACK, PORT))
        asking.sendall(request("/healthz")[:-2])
        silent = [stack.enter_context(connect(container, LOOPBACK, PORT)) for _ in range(100)]
        for _ in range(3):
            late = stack.enter_context(connect(container, LOOPBACK, PORT, timeout=5))
            late.sendall(request("/healthz", "Connection: close"))
            assert read_to_end(late)[0].startswith(b"HTTP/1.1 200")
        asking.sendall(b"\r\n")
        assert read_exactly(asking, 12) == b"HTTP/1.1 200"
        del silent
