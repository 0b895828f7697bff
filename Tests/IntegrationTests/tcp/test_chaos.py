"""The way to the app under everything at once: clients that leave at any moment, an app that dies and comes back, reloads.

LOOPBRIDGE_CHAOS_SECONDS says for how long (8), once for each combination of settings.
"""

import random
import signal
import socket
import threading
import time

import pytest

from support.actors.restartable import RestartableApp
from support.apps import AppInHand
from support.configuration import ConfigurationFile, route
from support.namespaces import Cable
from support.reloading import reload
from support.settings import CHAOS_SECONDS, IS_SANITIZED
from support.sockets import connect, read_to_end, reset
from support.waiting import wait_until

MAX = 4
SETTINGS = {
    "accept": {},
    "first byte": {"connect": "first_byte"},
    "spare": {"pool": "{ spare: 3 }"},
    "spare, first byte, short patience": {
        "connect": "first_byte", "pool": "{ spare: 6 }", "hold": "200ms", "idle_timeout": "1s"},
}


def configured(settings, bound=MAX, hold=None):
    """The only route, with a bound on the app's connections."""
    patience = "100ms" if "short" in settings else "10s"
    bounds = f"{{ max: {bound}, queue: 40, queue_timeout: {patience} }}"
    changes = {"hold": hold} if hold else {}
    return route(8080, 8000, upstream_connections=bounds, **{**SETTINGS[settings], **changes})


def behave(outside, chance):
    """One client's visit, which may end in any way."""
    try:
        client = connect(outside, Cable.CONTAINER, 8080, timeout=20)
    except ConnectionResetError:
        # It was turned away before connect(2) returned.
        return None
    try:
        kind = chance.randrange(8)
        if kind == 0:
            time.sleep(chance.random() * 0.05)
            return reset(client)
        if kind == 1:
            return time.sleep(chance.random() * 0.05)
        client.sendall(b"hello")
        if kind == 2:
            return reset(client)
        if kind == 3:
            time.sleep(chance.random() * 0.1)
            return reset(client)
        if kind == 4:
            client.shutdown(socket.SHUT_WR)
        elif kind == 5:
            client.recv(100)
            time.sleep(chance.random() * 0.1)
            return reset(client)
        else:
            client.recv(100)
            client.shutdown(socket.SHUT_WR)
        read_to_end(client)
    except OSError:
        pass
    finally:
        client.close()


@pytest.mark.load
@pytest.mark.limit(int(CHAOS_SECONDS) + 90)
@pytest.mark.parametrize("settings", SETTINGS)
def test_nothing_is_lost(container, outside, loopbridge, tmp_path, settings):
    file = ConfigurationFile(tmp_path, configured(settings))
    program = loopbridge("--config", file.path, "--workers", "3")
    before = program.settled_sockets()
    is_over = threading.Event()
    visits = [0] * 16

    def visit(number):
        chance = random.Random(number)
        while not is_over.is_set():
            behave(outside, chance)
            visits[number] += 1

    threads = [threading.Thread(target=visit, args=(number,)) for number in range(len(visits))]
    memory = []
    with RestartableApp(container) as app:
        for thread in threads:
            thread.start()
        chance = random.Random(99)
        end = time.monotonic() + CHAOS_SECONDS
        while time.monotonic() < end:
            time.sleep(chance.random() * 0.8)  # chance decides when what happens, here and above
            app.kill()
            time.sleep(chance.choice((0, 0, 0.05, 0.4)))
            app.start()
            # The route goes on with the same queue, in front of more or fewer places.
            file.set(configured(settings, bound=chance.choice((1, MAX, 2 * MAX)), hold=chance.choice(("100ms", "5s"))))
            program.signal(signal.SIGHUP)
            memory.append(program.memory("Anonymous"))
        file.set(configured(settings))
        reload(program)
        app.wait_until_listening()
        is_over.set()
        for thread in threads:
            thread.join(30)
            assert not thread.is_alive(), "a client waits for ever"
    assert sum(visits) > 20 * CHAOS_SECONDS / (10 if IS_SANITIZED else 1)

    # Nothing is open any more, and every place is free: as many as may be are served at the same time.
    with AppInHand(container) as app:
        wait_until(lambda: program.open_sockets() == before, "its sockets are closed", limit=20)
        clients = [connect(outside, Cable.CONTAINER, 8080) for _ in range(MAX)]
        for client in clients:
            client.sendall(b"hello")
        wait_until(lambda: sum(map(has_data, app.all)) == MAX, "all are served at the same time")
        for client in clients:
            client.close()
    program.wait_for_closed(sum(visits) + MAX, limit=20)
    if not IS_SANITIZED and len(memory) > 8:
        assert memory[-1] < max(memory[: len(memory) // 2]) + (4 << 20), memory
    print(f"{settings}: {sum(visits)} visits, {len(memory)} restarts")


def has_data(connection):
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
    except OSError:
        return False
