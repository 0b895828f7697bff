"""pool.spare: connections to the app that are open before a client comes."""

import statistics
import threading
import time

import pytest

from support.actors.restartable import RestartableApp
from support.admin import metrics
from support.apps import App, AppInHand
from support.namespaces import Cable
from support.sockets import connect, read_exactly, read_to_end
from support.waiting import stays_true, wait_until

DELAY = 0.02


class SlowToAccept(App):
    """Spends 20 ms on accepting each connection."""

    def _arrived(self, connection):
        time.sleep(DELAY)  # what the spares are to save the clients
        super()._arrived(connection)
        self.ready += 1

    ready = 0


def answers_at_once(connection):
    connection.recv(100)
    connection.sendall(b"answer")


@pytest.mark.parametrize("spare", [0, 4])
def test_accepting_leaves_the_way_to_the_first_byte(container, outside, loopbridge, spare):
    with SlowToAccept(container, answers_at_once) as app:
        loopbridge("--workers", "2", "--spare", str(spare), "8080:8000")
        times = []
        for number in range(15):
            wait_until(lambda: app.ready >= number + spare, "the spares have been accepted")
            started = time.monotonic()
            with connect(outside, Cable.CONTAINER, 8080) as client:
                client.sendall(b"a")
                assert read_exactly(client, 6) == b"answer"
                times.append(time.monotonic() - started)
    print(f"median time to the first byte with {spare} spares: {statistics.median(times) * 1000:.1f} ms")
    if spare:
        assert statistics.median(times) < DELAY, times
    else:
        assert min(times) >= DELAY, times


def test_as_many_as_asked_for_over_all_workers(container, outside, loopbridge):
    with AppInHand(container) as app:
        program = loopbridge("--workers", "2", "--spare", "5", "8080:8000")
        wait_until(lambda: app.accepted == 5, "five connections are opened ahead")
        stays_true(lambda: app.accepted == 5, "and no more", 0.3)
        with connect(outside, Cable.CONTAINER, 8080) as client:
            client.sendall(b"hello")
            # It was given one of those, and another one has been opened in its place.
            wait_until(lambda: app.accepted == 6, "the spare is replaced")
            app.stop()
        assert program.wait_for_closed()["upstream"] == "127.0.0.1:8000"


def test_what_the_app_says_first_is_not_lost(container, outside, loopbridge):
    """A mail server greets whoever connects, and it does so once."""
    def mail_server(connection):
        connection.sendall(b"220 ready\r\n")
        if connection.recv(100) == b"QUIT\r\n":
            connection.sendall(b"221 bye\r\n")

    with App(container, mail_server) as app:
        loopbridge("--workers", "1", "--spare", "2", "8080:8000")
        for number in range(10):
            wait_until(lambda: app.accepted == number + 2, "there are spares")
            with connect(outside, Cable.CONTAINER, 8080) as client:
                assert read_exactly(client, 11) == b"220 ready\r\n"
                client.sendall(b"QUIT\r\n")
                assert read_to_end(client) == (b"221 bye\r\n", None)


def test_an_app_that_ends_silent_connections_is_left_alone(container, outside, loopbridge):
    with AppInHand(container) as app:
        loopbridge("--workers", "1", "--spare", "2", "--admin-listen", "127.0.0.1:9901", "8080:8000")
        spares = [app.next(), app.next()]
        # One that ends before all are there would be replaced.
        wait_until(lambda: metrics(container)['loopbridge_upstream_connections{route="0.0.0.0:8080",state="spare"}'] == 2, "all are there")
        for spare in spares:
            spare.close()
        stays_true(lambda: app.accepted == 2, "it was called although nobody wants anything", 0.5)
        with connect(outside, Cable.CONTAINER, 8080) as client:
            client.sendall(b"hello")
            assert read_exactly(app.next(), 5) == b"hello"
            wait_until(lambda: app.accepted == 5, "there are spares again")


@pytest.mark.limit(150)
def test_nobody_is_given_a_dead_one(container, outside, loopbridge):
    """The app is killed and started 50 times under load. Whoever comes after its death is served by its successor."""
    loopbridge("--workers", "2", "--spare", "8", "--hold", "30s", "8080:8000")
    deaths, failures, served = [], [], []
    is_over = threading.Event()

    def visit():
        while not is_over.is_set():
            started = time.monotonic()
            try:
                with connect(outside, Cable.CONTAINER, 8080, timeout=30) as client:
                    client.sendall(b"who")
                    answer = client.recv(100)
            except OSError as error:
                answer = error
            (served if isinstance(answer, bytes) and answer else failures).append((started, time.monotonic(), answer))

    with RestartableApp(container) as app:
        threads = [threading.Thread(target=visit) for _ in range(8)]
        for thread in threads:
            thread.start()
        for number in range(50):
            before = len(served)
            wait_until(lambda: len(served) > before + 40, "clients are served", limit=30)
            begin = time.monotonic()
            app.kill()
            deaths.append((begin, time.monotonic()))
            app.start()
        before = len(served)
        wait_until(lambda: len(served) > before + 40, "clients are served at the end", limit=30)
        is_over.set()
        for thread in threads:
            thread.join(40)
    # Those who were there when it died share its fate.
    unexplained = [
        (started, ended, answer) for started, ended, answer in failures
        if not any(started <= dead and ended >= begin for begin, dead in deaths)]
    assert not unexplained, (len(unexplained), len(failures), unexplained[:5])
    print(f"{len(served)} served, {len(failures)} in the middle of one of {len(deaths)} deaths")
