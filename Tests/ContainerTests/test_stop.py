"""`docker stop` on a wrapped app that is being used: whoever was let in is answered."""

import threading
import time

import pytest

from engine.browser import visit
from engine.load import Load
from support.processes import Process

GRACE = 10
#: What the app ends with on SIGTERM.
APPS_CODE = 7


@pytest.fixture
def app(container, privileges):
    """An app that takes a moment for every answer."""
    started = container("debian-wrapped", "/app", "50", options=("--publish", "8000:8000", *privileges))
    started.wait_until_listening(8000, count=2)
    return started


def test_under_load_nobody_who_was_let_in_is_dropped(app, host):
    # Other people's load; whether their later connections fail is not counted.
    crowd = Process(host.command("wrk", "--threads", "1", "--connections", "16", "--duration", "4s",
                                 "http://127.0.0.1:8000/"))
    # Straight to the container: Docker's proxy takes connections for an app that has gone, too.
    with crowd, Load(host, app.addresses[0], 8000, clients=8, duration=10) as load:
        load.wait_for_answers(100)
        asked = time.monotonic()
        took = app.stop(GRACE)
        load.stop()
    assert app.exit_code == APPS_CODE, app.log
    assert took < GRACE
    dropped = [request for request in load.requests if request.connected < asked and not request.answered]
    assert not dropped, f"{len(dropped)} of {len(load.requests)}: {dropped[:3]}\n{app.log[-2000:]}"
    assert any(request.ended > asked and request.answered for request in load.requests), "none was on its way"


def test_a_slow_answer_is_waited_for(container, host):
    app = container("debian-wrapped", "/app", "3000")
    app.wait_until_listening(8000, count=2)
    address = app.addresses[0]
    answers = []
    client = threading.Thread(target=lambda: answers.append(visit(host, address)))
    client.start()
    app.wait_until_processes(["loopbridge", "app", "app"])  # one of them serves
    took = app.stop(GRACE)
    client.join(20)
    assert answers and answers[0].endswith(b"hello\n")
    assert app.exit_code == APPS_CODE and took < GRACE


def test_without_clients_it_ends_at_once(app):
    assert app.stop(GRACE) < 3
    assert app.exit_code == APPS_CODE
