"""The status page of the real program, in Chromium: what it shows of traffic, of an app that goes, and of a restart."""

import time

import pytest

from support.actors.fake_admin import page_generator
from support.actors.restartable import RestartableApp
from support.actors.status_page import StatusPage, needs_axe
from support.actors.visits import Visits
from support.admin import PORT, ask
from support.namespaces import Cable
from support.programs.browser import CHROMIUM
from support.programs.web_apps import http_route
from support.settings import IS_SANITIZED
from support.waiting import stays_true, wait_until

pytestmark = pytest.mark.limit(120)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here")
ADMIN = ("--admin-listen", f"0.0.0.0:{PORT}")
# The present figure of a chart's first series, and its curve.
FIGURE = "document.querySelectorAll('article figure')[{}].querySelector('.key').textContent"
CURVE = "document.querySelectorAll('article figure')[{}].querySelector('.curve').getAttribute('d')"
SHOWN = (THROUGHPUT, REQUESTS, LATENCY, CONNECTIONS) = range(4)


@pytest.fixture
def page(outside, tmp_path):
    with StatusPage(outside, tmp_path / "profile", Cable.CONTAINER) as page:
        yield page


@pytest.fixture
def app(container, tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "index.html").write_text("<!doctype html><title>A site</title>" + "Words. " * 3000)
    with RestartableApp.web_server(container, folder) as app:
        yield app


def bridge(loopbridge, tmp_path):
    return loopbridge(*http_route(tmp_path, route_settings={"name": "web", "hold": "30s"}.items()), *ADMIN)


def test_the_program_has_the_page_that_the_files_make(container, loopbridge):
    loopbridge("8080:8000", *ADMIN)
    page, policy = page_generator().joined()
    answer = ask(container, "/")
    assert answer.text == page
    assert answer["content-security-policy"] == policy


@needs_chromium
def test_the_charts_move_and_a_killed_app_is_seen(container, outside, loopbridge, app, page, tmp_path):
    bridge(loopbridge, tmp_path)
    with Visits(outside) as visits:
        page.show()
        page.wait_for_text("#sentence", "The app answers")
        for chart in SHOWN:
            page.wait_for(f"({CURVE.format(chart)} ?? '').split('L').length > 3")
            before = page.evaluate(CURVE.format(chart))
            page.wait_for(f"{CURVE.format(chart)} !== {before!r}")
        for chart in (THROUGHPUT, REQUESTS, LATENCY):
            page.wait_for(f"parseFloat({FIGURE.format(chart)}) > 0")
        # Not one more and not one less than the clients have counted.
        answered = visits.answered
        page.wait_for(f"shown.status.routes[0].totals.requests >= {answered}")
        assert page.evaluate("shown.status.routes[0].totals.requests") <= visits.answered + 2

        app.kill()
        killed = time.monotonic()
        page.wait_for_text("#sentence", "web: the app at localhost:8000 is not listening")
        took = time.monotonic() - killed
        assert took < 2 or IS_SANITIZED, f"it took {took:.1f} s"
        assert page.evaluate("document.title") == "✕ web is down · loopbridge"
        assert page.text("article .word") == "down"
        page.wait_for_text("#sentence", "2 clients wait")
        page.wait_for(f"{FIGURE.format(4)} === '2'")

        app.start()
        app.wait_until_listening()
        started = time.monotonic()
        page.wait_for_text("article .word", "up")
        took = time.monotonic() - started
        assert took < 2 or IS_SANITIZED, f"it took {took:.1f} s"
        page.wait_for_text("article .since", "since ")
        # That it was away is still to be seen.
        page.wait_for("!!document.querySelector('article .down').getAttribute('d')")
    page.assert_quiet()


@needs_chromium
@needs_axe
def test_all_sections_show_what_is_real(container, outside, loopbridge, app, page, tmp_path):
    bridge(loopbridge, tmp_path)
    page.show()
    page.click("#doctor summary")
    page.click("#configuration summary")
    page.wait_for_text("#doctor", "python3")
    page.wait_for_text("#configuration", "name: web")
    assert page.evaluate("document.querySelectorAll('#workers tbody tr').length") >= 1
    assert page.evaluate("shown.status.process.resident_bytes") > 1e6
    page.wait_for_text("#process", "% of one")
    assert page.accessibility_problems() == []
    page.assert_quiet()


@needs_chromium
def test_it_rests_while_nobody_looks_and_catches_up(container, outside, loopbridge, app, page, tmp_path):
    bridge(loopbridge, tmp_path)
    page.show()
    page.wait_for("(shown.history.get('web') ?? []).length >= 3")
    with page.hidden():
        # Questions that were under way when it was hidden.
        asked = wait_until(lambda: len(page.requests()), "it has asked") + 2
        stays_true(lambda: len(page.requests()) <= asked, "it asks while it is hidden", 4)
        latest = page.evaluate("shown.history.get('web').at(-1).time")
    page.wait_for(f"shown.history.get('web').at(-1).time > {latest} + 4")
    # No second is missing.
    longest = page.evaluate(
        "Math.max(...shown.history.get('web').map((sample, at, all) => at ? sample.time - all[at - 1].time : 0))")
    assert longest < 2.5
    page.assert_quiet()


@needs_chromium
def test_it_survives_a_restart(container, outside, loopbridge, app, page, tmp_path):
    first = bridge(loopbridge, tmp_path)
    page.show()
    page.wait_for("(shown.history.get('web') ?? []).length >= 5")
    assert first.terminate() == 0
    page.wait_for_text("#sentence", "No answer from loopbridge since ")
    page.wait_for_text("#freshness", "trying again, as of ")
    assert page.evaluate("document.title") == "✕ no answer · loopbridge"

    second = loopbridge(*first.arguments)
    page.wait_for_text("#freshness", "live")
    page.wait_for_text("#sentence", "The app answers")
    page.wait_for("shown.history.get('web').length >= 2")
    start = page.evaluate("shown.status.start_time")
    assert page.evaluate("shown.history.get('web')[0].time") >= start
    assert second.is_running
    page.assert_quiet(lost=True)
