"""The status page by itself: what it makes of made-up figures, because real ones of the kind are long in coming."""

import json
import time

import pytest

from support.actors.fake_admin import FakeAdmin, FakeRoute
from support.actors.status_page import PORT, StatusPage, needs_axe
from support.namespaces import Cable
from support.programs.browser import CHROMIUM
from support.waiting import stays_true

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here"), pytest.mark.limit(120)]


@pytest.fixture
def admin(container):
    listener = container.socket()
    listener.bind((Cable.CONTAINER, PORT))
    listener.listen()
    listener.settimeout(None)
    with FakeAdmin(listener, [FakeRoute("web"), FakeRoute("queue", "unix:/run/queue.sock", "tcp", scale=0.1)]) as admin:
        yield admin


@pytest.fixture
def page(outside, tmp_path, admin):
    with StatusPage(outside, tmp_path / "profile", Cable.CONTAINER) as page:
        yield page


def trouble(admin):
    """Gives the page something of everything to show."""
    now = time.time()
    web, queue = admin.routes
    web.down = [(now - 120, now - 100)]
    web.failures = [
        {"cause": "app_failed", "explanation": "The app's connection broke.", "count": 42, "last_time": now - 100},
        {"cause": "client_left", "explanation": "The client went away.", "count": 3}]
    queue.presence, queue.since, queue.held = "down", now - 34, 3
    admin.messages = [
        {"time": now - 100 + number, "level": "error" if number % 2 else "warning", "text": f"This is message {number}",
         "count": number} for number in range(1, 10)]


def test_figures_are_written_as_people_read_them(page):
    page.show()
    written = {
        "bytesText(0)": "0 B", "bytesText(999)": "999 B", "bytesText(1000)": "1 kB", "bytesText(999.96e6)": "1 GB",
        "throughputText(12.34e6)": "12.3 MB/s", "memoryText(23.4e6)": "22.3 MiB", "totalText(1234567)": "1.23 million",
        "countText(1234567)": "1,234,567", "rateText(0.01)": "< 0.1/s", "rateText(3.14)": "3.1/s",
        "rateText(1234.5)": "1,235/s", "latencyText(0.0000412)": "41 µs", "latencyText(0.00125)": "1.25 ms",
        "latencyText(0.9996)": "1 s", "latencyText(12.34)": "12.3 s", "spanText(0.2)": "0 s", "spanText(59.6)": "1 min",
        "spanText(125)": "2 min 5 s", "spanText(3600)": "1 h", "spanText(7500)": "2 h 5 min",
        "spanText(90000)": "1 d 1 h", "percentText(0.98765)": "98.7 %",
    }
    assert {call: page.evaluate(call).replace("\u202f", " ") for call in written} == written


def test_the_sentence_says_what_is_the_matter(page, admin):
    page.show()
    assert page.sentence() == "All apps answer"
    web, queue = admin.routes

    def judged():
        verdict = page.evaluate(f"weighUp({json.dumps(admin.status())})")
        return verdict["mood"], verdict["sentence"], [note[1] for note in verdict["notes"]]

    web.queued = 12
    assert judged() == ("warning", "All apps answer; 12 clients wait for a turn at web", [])
    web.queued = 0
    web.failures = [{
        "cause": "no_answer", "explanation": "The app closed the connection without an answer.", "count": 1,
        "last_time": time.time() - 5}]
    failures = "web had failures in the last minute. The app closed the connection without an answer."
    assert judged() == ("warning", "All apps answer; " + failures, [])
    web.failures[0]["cause"] = "client_left"
    assert judged() == ("good", "All apps answer", [])
    web.failures[0].update(cause="no_answer", last_time=time.time() - 70)
    assert judged() == ("good", "All apps answer", [])

    queue.presence, queue.since, queue.held = "down", time.time() - 5, 1
    gone = "queue: the app at unix:/run/queue.sock is not listening, 1 client waits"
    assert judged() == ("bad", gone, [])
    web.presence, web.since, web.held = "down", time.time() - 5, 2
    assert judged() == (
        "bad", "None of the 2 apps is listening, 3 clients wait",
        ["web: the app at localhost:8000 is not listening, 2 clients wait", gone])
    web.presence, web.held = "unknown", 0
    assert judged() == ("bad", gone, [])
    queue.presence = "up"
    assert judged() == ("good", "All apps that were asked for answer; nothing is known of web yet", [])
    queue.presence = "unknown"
    assert judged() == ("unknown", "No client has asked for an app yet", [])

    web.presence = queue.presence = "up"
    admin.reloads["has_failed_last"] = True
    assert judged()[1].startswith("The configuration was read again and is wrong")
    admin.process["max_descriptors"] = 150
    assert "Descriptors run out: 148 of 150 are open" in [judged()[1], *judged()[2]]
    admin.workers[1]["loop_lag"] = 3
    assert judged()[:2] == ("bad", "Worker 1 has not answered for 3\u202fs")
    admin.workers[1]["loop_lag"] = 0
    admin.state = "draining"
    assert judged()[1].startswith("loopbridge is stopping: ")


def test_a_change_of_state_is_said_aloud_and_numbers_are_not(page, admin):
    page.show()
    assert page.text("#announcer") == ""
    page.evaluate("""window.said = []
        const announcer = document.getElementById('announcer')
        new MutationObserver(() => said.push(announcer.textContent)).observe(announcer, { childList: true, subtree: true })
        0""")
    web = admin.routes[0]
    web.presence, web.since, web.held = "down", time.time(), 1
    page.wait_for_text("#sentence", "1 client waits")
    web.held = 4
    page.wait_for_text("#sentence", "4 clients wait")
    assert page.evaluate("document.title") == "✕ web is down · loopbridge"
    web.presence, web.held, web.since = "up", 0, time.time()
    page.wait_for_text("#sentence", "All apps answer")
    assert page.evaluate("document.title") == "✓ All apps answer · loopbridge"
    assert page.evaluate("said") == ["web: the app at localhost:8000 is not listening", "All apps answer"]
    page.assert_quiet()


def test_names_from_outside_are_text_and_nothing_else(page, admin):
    nasty = "<img src=x onerror=alert(1)>"
    admin.routes += [FakeRoute(nasty, upstream=nasty), FakeRoute("__proto__"), FakeRoute("constructor")]
    admin.routes[2].presence, admin.routes[2].since = "down", time.time()
    admin.routes[2].failures = [{"cause": nasty, "explanation": nasty, "count": 1}]
    admin.messages = [{"time": time.time(), "level": "warning", "text": nasty, "count": 1}]
    admin.configuration = f"# {nasty}\n"
    admin.doctor["listeners"][1]["explanation"] = nasty
    page.show()
    page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")
    page.wait_for_text("#doctor", nasty)
    page.wait_for_text("#configuration", nasty)
    assert page.sentence() == f"{nasty}: the app at {nasty} is not listening"
    names = page.evaluate("[...document.querySelectorAll('article h3')].map((name) => name.textContent)")
    assert names == ["web", "queue", nasty, "__proto__", "constructor"]
    page.wait_for(
        "[...document.querySelectorAll('article .curve.first')].every((curve) => curve.getAttribute('d'))")
    assert page.evaluate("document.images.length + document.scripts.length") == 6
    page.assert_quiet()


@needs_axe
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 800, 390])
def test_it_is_accessible_and_fits(page, admin, scheme, width):
    trouble(admin)
    page.resize(width, 900)
    page.show(prefers_color_scheme=scheme)
    page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")
    page.wait_for("!!document.querySelector('#doctor table') && !!document.querySelector('#configuration pre')")
    assert page.accessibility_problems() == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.assert_quiet()


def test_each_chart_says_in_words_what_it_shows(page, admin):
    trouble(admin)
    page.show()
    words = page.evaluate(
        "[...document.querySelectorAll('article svg[role=img]')].map((one) => one.getAttribute('aria-label'))")
    titles = ["Throughput", "Requests", "Request time", "Connections", "Waiting",
              "Throughput", "New connections", "Connect time", "Connections", "Waiting"]
    assert [word.split(",")[0] for word in words] == titles
    for word in words:
        assert "now " in word and "lowest " in word and "highest " in word, word
    assert "median now " in words[2] and "99th percentile now " in words[2]


def test_it_is_used_by_keyboard(page, admin):
    trouble(admin)
    page.show()
    places = []
    while "BODY" not in places and len(places) < 40:
        page.press("Tab", 9)
        places.append(page.evaluate("""(({ id, className, textContent, nodeName }) => nodeName === 'BODY' ? nodeName
            : id || className || textContent)(document.activeElement)"""))
    summaries = ["Doctor: who listens here, and who can reach it", "Effective configuration"]
    places = [place.strip() for place in places]
    assert places[:-1] == [
        "skip", "pause", "charts", "charts", "all-messages", *summaries, "metrics", "status.json", "history.json",
        "readyz", "healthz"]

    page.evaluate("document.querySelector('.charts').focus()")
    assert page.evaluate("document.querySelector('.moment').hidden")
    for _ in range(3):
        page.press("ArrowLeft", 37)
    page.wait_for("document.querySelector('.moment').textContent.includes('3\u202fs ago')")
    page.press("Home", 36)
    page.wait_for("document.querySelector('.moment').textContent.includes('4\u202fmin 59\u202fs ago')")
    page.press("Escape", 27)
    page.wait_for("document.querySelector('.moment').hidden")

    page.evaluate("document.querySelector('#doctor summary').focus()")
    page.press("Enter", 13, text="\r")
    page.wait_for_text("#doctor", "loopbridge 8000")
    page.evaluate("document.getElementById('pause').focus()")
    page.press("Enter", 13, text="\r")
    page.wait_for_text("#freshness", "paused, as of ")
    asked = len(admin.asked)
    stays_true(lambda: len(admin.asked) <= asked + 1, "it asks on", 2.5)
    page.press("Enter", 13, text="\r")
    page.wait_for_text("#freshness", "live")
    page.assert_quiet()


def test_nothing_moves_by_itself_where_that_is_asked_for(page, admin):
    page.show(prefers_reduced_motion="reduce")
    assert page.evaluate("document.getAnimations().length") == 0
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"


def test_a_route_comes_and_goes(page, admin):
    page.show()
    names = "[...document.querySelectorAll('article h3')].map((name) => name.textContent).join()"
    admin.routes.insert(0, FakeRoute("first"))
    page.wait_for(f"{names} === 'first,web,queue'")
    del admin.routes[1]
    page.wait_for(f"{names} === 'first,queue'")
    admin.routes.clear()
    page.wait_for_text("#sentence", "Nothing is bridged yet")
    assert page.evaluate("!document.getElementById('no-routes').hidden")
    page.assert_quiet()


def test_what_does_not_come_is_said(page, admin):
    page.show()
    admin.doctor = None
    page.evaluate("document.getElementById('doctor').open = true")
    page.wait_for_text("#doctor", "It did not come")
