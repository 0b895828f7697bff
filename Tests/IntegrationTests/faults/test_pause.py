"""The program is stopped for longer than a timeout, as `docker pause` or a suspended laptop does it. What arrived meanwhile is
heard before anything is ended for silence."""

import socket
import threading
import time

import pytest

from support.apps import App, AppInHand, echo
from support.configuration import ConfigurationFile, route
from support.datagrams import DatagramApp, ask
from support.datagrams import client as datagram_client
from support.http import Client, HTTPApp, answers, get, ok
from support.namespaces import Cable
from support.processes import Frozen
from support.sockets import connect, read_exactly
from support.tls import Authority, secure
from support.waiting import wait_until

#: How long the program stands still: longer than the timeouts here (1 s), and long enough for every one of its timers to be
#: overdue, whether it takes that for load or for a pause.
PAUSES = [1.5, 3.0]


class Pause(Frozen):
    """Lasts for so long, whatever is done in it."""

    def __init__(self, program, duration):
        super().__init__(program.pid)
        self._duration = duration

    def __enter__(self):
        super().__enter__()
        self._end = time.monotonic() + self._duration
        return self

    def __exit__(self, *arguments):
        time.sleep(max(self._end - time.monotonic(), 0))  # for as long as the pause is to last
        super().__exit__(*arguments)


@pytest.fixture(params=PAUSES)
def pause(request):
    return lambda program: Pause(program, request.param)


@pytest.fixture
def bridge(loopbridge, tmp_path):
    def start(protocol="tcp", listen="8080", upstream="localhost:8000", **settings):
        file = ConfigurationFile(tmp_path, route(listen, upstream, protocol=protocol, **settings), workers=1)
        return loopbridge("--config", file.path)
    return start


def test_idle_connections_that_hear_something(container, outside, bridge, pause):
    """More of them than one look of libevent finds at first."""
    program = bridge(idle_timeout="1s")
    with AppInHand(container) as in_hand:
        pairs = []
        for _ in range(100):
            client = connect(outside, Cable.CONTAINER, 8080)
            client.sendall(b"a")
            pairs.append((client, in_hand.next()))
        for _, app in pairs:
            read_exactly(app, 1)
        with pause(program):
            for _, app in pairs:
                app.sendall(b"news")
        for client, app in pairs:
            assert read_exactly(client, 4) == b"news"
        # They live: nobody was cut off right behind it.
        for client, app in pairs:
            client.sendall(b"b")
            assert read_exactly(app, 1) == b"b"
            client.close()


def test_half_closed_connections(container, outside, bridge, pause):
    program = bridge(half_close_timeout="1s")
    with AppInHand(container) as in_hand, connect(outside, Cable.CONTAINER, 8080) as client:
        client.sendall(b"question")
        client.shutdown(socket.SHUT_WR)
        app = in_hand.next()
        assert read_exactly(app, 8) == b"question" and app.recv(1) == b""
        with pause(program):
            app.sendall(b"answer")
            app.close()
        assert read_exactly(client, 6) == b"answer"
        assert client.recv(1) == b""


def test_an_answer(container, outside, bridge, pause):
    program = bridge("http", http="{ response_timeout: 1s }")
    with HTTPApp(container) as app, Client(outside) as client:
        client.send(get())
        request = app.next_request()
        with pause(program):
            request.answer(ok(b"in time"))
        assert client.response().body == b"in time"


def test_the_rest_of_a_head(container, outside, bridge, pause):
    program = bridge("http", http="{ head_timeout: 1s }")
    with HTTPApp(container, answers(ok(b"in time"))), Client(outside) as client:
        request = get()
        client.send(request[:20])
        with pause(program):
            client.send(request[20:])
        assert client.response().body == b"in time"


def test_the_rest_of_a_body(container, outside, bridge, pause):
    program = bridge("http", http="{ body_timeout: 1s }")
    with HTTPApp(container, answers(ok(b"in time"))), Client(outside) as client:
        client.send(get("/", b"Content-Length: 10\r\n", "POST") + b"01234")
        with pause(program):
            client.send(b"56789")
        assert client.response().body == b"in time"


def test_the_next_request(container, outside, bridge, pause):
    program = bridge("http", http="{ keep_alive_timeout: 1s }")
    with HTTPApp(container, answers(ok(b"in time"))), Client(outside) as client:
        assert client.ask(get()).status == 200
        with pause(program):
            client.send(get())
        assert client.response().body == b"in time"


def test_a_handshake(container, outside, loopbridge, tmp_path, pause):
    authority = Authority(tmp_path)
    pair = authority.issue("server", "DNS:example.test")
    tls = f"{{ certificate: {pair.certificate}, key: {pair.key}, handshake_timeout: 1s }}"
    file = ConfigurationFile(tmp_path, route("8443", "localhost:8000", tls=tls), workers=1)
    program = loopbridge("--config", file.path)
    with App(container, echo), connect(outside, Cable.CONTAINER, 8443) as raw:
        result = []
        with pause(program):
            thread = threading.Thread(target=lambda: result.append(secure(raw, authority)))
            thread.start()
        thread.join(10)
        [client] = result
        client.sendall(b"hello")
        assert client.recv(5) == b"hello"
        client.close()


def test_a_proxy_header(container, outside, bridge, pause):
    program = bridge(proxy_protocol="{ accept: true, trusted_proxies: [0.0.0.0/0], header_timeout: 1s }")
    with App(container, echo), connect(outside, Cable.CONTAINER, 8080) as client:
        client.sendall(b"PROXY TCP4 192.0.2.1 192.0.2.2 ")
        with pause(program):
            client.sendall(b"1000 80\r\nhello")
        assert read_exactly(client, 5) == b"hello"


def test_a_silent_client(container, outside, bridge, pause):
    program = bridge(connect="first_byte", idle_timeout="1s")
    with App(container, echo), connect(outside, Cable.CONTAINER, 8080) as client:
        with pause(program):
            client.sendall(b"hello")
        assert read_exactly(client, 5) == b"hello"


@pytest.mark.parametrize("protocol", ["tcp", "http"])
def test_an_app_that_has_come(container, outside, bridge, pause, protocol):
    program = bridge(protocol, hold="1s")
    with Client(outside) as client:
        client.send(get())
        program.wait_for_message("is not listening")
        with pause(program):
            app = HTTPApp(container, answers(ok(b"in time")))
        with app:
            assert client.response().body == b"in time"


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("protocol", ["tcp", "http"])
def test_a_turn_that_has_come(container, outside, loopbridge, tmp_path, pause, protocol, workers):
    """The connection that the app may have is free again, for clients that wait at any worker."""
    file = ConfigurationFile(
        tmp_path,
        route("8080", "localhost:8000", protocol=protocol, upstream_connections="{ max: 1, queue_timeout: 1s }",
              pool="{ idle: 0 }"), workers=workers)
    program = loopbridge("--config", file.path)
    with HTTPApp(container) as app, Client(outside) as first:
        first.send(get("/", b"Connection: close\r\n"))
        request = app.next_request()
        waiting = [Client(outside).send(get("/", b"Connection: close\r\n")) for _ in range(6)]
        program.wait_for_message("clients queue")
        with pause(program):
            request.answer(ok(b"0"), close=True)
            first.connection.shutdown(socket.SHUT_WR)
        assert first.response().body == b"0"
        first.close()
        # One of them has its turn, though its time was over meanwhile. The others have waited for too long, or not, as it is.
        app.next_request().answer(ok(b"in time"), close=True)
        wait_until(lambda: any(is_answered(client) for client in waiting), "it is served")
        for client in waiting:
            client.close()


def is_answered(client):
    """Whether an answer has come, and no reset."""
    try:
        return bool(client.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except OSError:
        return False


def test_datagrams(container, outside, bridge, pause):
    program = bridge("udp", listen="8053", upstream="localhost:5300", idle_timeout="1s")
    with DatagramApp(container) as app, datagram_client(outside, Cable.CONTAINER) as client:
        assert ask(client) == b"hello"
        with pause(program):
            # More than one call takes, so that the flow's own stand at the end of many turns.
            others = [datagram_client(outside, Cable.CONTAINER) for _ in range(20)]
            for other in others:
                for _ in range(20):
                    other.send(b"flood")
            client.send(b"again")
        assert client.recv(100) == b"again"
        wait_until(lambda: program.messages("closed"), "a flow has ended")
        ended = [entry for entry in program.closed() if entry["client"].endswith(f":{client.getsockname()[1]}")]
        assert len(ended) <= 1, ended
        assert all(entry["to_app"] == 10 for entry in ended), ended
        for other in others:
            other.close()


