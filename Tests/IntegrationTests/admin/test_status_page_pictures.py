"""Takes the pictures in docs/: the real program, in five minutes with good and bad moments.

    LOOPBRIDGE_PICTURES=docs python3 -m pytest Tests/IntegrationTests/test_status_page_pictures.py
"""

import contextlib
import pathlib
import random
import time

import pytest

from support.actors.status_page import StatusPage
from support.actors.visits import Visits
from support.admin import PORT
from support.apps import App, echo
from support.configuration import ConfigurationFile, route
from support.http import HTTPApp, ok
from support.namespaces import Cable
from support.programs.browser import CHROMIUM
from support.settings import PICTURES
from support.sockets import connect

pytestmark = [
    pytest.mark.skipif(PICTURES is None, reason="pictures are taken where LOOPBRIDGE_PICTURES says where to"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here"), pytest.mark.limit(420)]
MOST_BYTES = 250_000
WORDS = random.Random(8).randbytes(1 << 16)


def takes_its_time(median, size):
    """An app's function that answers after a time that is long now and then, with more or less of a body."""
    def answer(request):
        time.sleep(random.lognormvariate(0, 0.6) * median)  # what the picture is to show
        request.connection.sendall(ok(WORDS[:min(len(WORDS), int(random.lognormvariate(0, 0.8) * size))]))
    return answer


def take(page, name):
    picture = page.screenshot()
    assert len(picture) < MOST_BYTES, f"{name} has {len(picture)} bytes"
    (pathlib.Path(PICTURES) / f"status-page-{name}.png").write_bytes(picture)


def test_pictures(container, outside, loopbridge, tmp_path):
    loopbridge("--admin-listen", f"0.0.0.0:{PORT}", "--config", ConfigurationFile(
        tmp_path,
        route(8080, "localhost:8000", name="web", protocol="http", hold="30s"),
        route(8081, "localhost:9000", name="api", protocol="http", hold="30s", upstream_connections="{ max: 6 }"),
        route(6380, "localhost:6379", name="cache")).path)
    start = time.monotonic()
    api = lambda: HTTPApp(container, takes_its_time(0.012, 900), port=9000)
    with contextlib.ExitStack() as stack, StatusPage(outside, tmp_path / "profile", Cable.CONTAINER) as page:
        stack.enter_context(HTTPApp(container, takes_its_time(0.004, 14_000)))
        stack.enter_context(App(container, echo, port=6379))
        cached = [stack.enter_context(connect(outside, Cable.CONTAINER, 6380)) for _ in range(3)]
        stack.enter_context(Visits(outside, clients=4, rate=8, kept=True))
        stack.enter_context(Visits(outside, clients=3, rate=6, port=8081, target="/orders"))
        current = stack.enter_context(api())

        def talk_until(second):
            while time.monotonic() < start + second:
                for connection in cached:
                    connection.sendall(WORDS[:random.randrange(200, 9000)])
                    connection.recv(1 << 16)
                time.sleep(0.2 + 0.15 * random.random())  # the load's pace

        talk_until(70)
        with Visits(outside, clients=5, rate=9), Visits(outside, clients=9, rate=40, port=8081, target="/orders"):
            talk_until(130)
        talk_until(190)
        current.stop()
        talk_until(206)
        current = stack.enter_context(api())
        talk_until(230)
        with Visits(outside, clients=3, rate=10, kept=True):
            talk_until(300)

            page.resize(1280, 1000)
            page.show(prefers_color_scheme="light")
            talk_until(304)
            take(page, "light")
            page.resize(390, 844, scale=2)
            page.show(prefers_color_scheme="light")
            talk_until(307)
            take(page, "phone")
            current.stop()
            page.resize(1280, 1000)
            page.show(prefers_color_scheme="dark")
            page.wait_for_text("#sentence", "api: the app at localhost:9000 is not listening, 3 clients wait")
            take(page, "dark")
            current = stack.enter_context(api())
    page.assert_quiet()
