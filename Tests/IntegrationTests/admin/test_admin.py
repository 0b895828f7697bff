"""The admin port: access to it, its pages and figures, and its effect on the rest, which is none."""

import contextlib
import os
import re
import signal
import subprocess
import time

import pytest

from support.admin import LISTEN, PATHS, PORT, ask, listening_ports, metrics
from support.apps import App, AppInHand, echo
from support.configuration import ConfigurationFile, route
from support.http import HTTPApp, Reader
from support.namespaces import Cable
from support.settings import PROGRAM
from support.sockets import connect, read_exactly, read_to_end
from support.waiting import stays_true, wait_until

# Pages

def test_is_off_by_default(container, loopbridge):
    program = loopbridge("8080:8000")
    assert listening_ports(container) == {8080}
    assert not program.messages("admin port")


def test_answers_every_path(container, outside, loopbridge):
    loopbridge("8080:8000", *LISTEN)
    with App(container, echo):
        for path, kind in PATHS.items():
            answer = ask(outside, path, Cable.CONTAINER)
            assert (path, answer.status, answer["content-type"]) == (path, 200, kind)
            assert answer["cache-control"] == "no-store"
            assert answer["x-content-type-options"] == "nosniff"
            assert answer["referrer-policy"] == "no-referrer"
            # The head alone is the same.
            head = ask(outside, path, Cable.CONTAINER, method="HEAD")
            assert (head.status, head["content-type"], head.text) == (200, kind, "")
            assert int(head["content-length"]) > 0
        assert "default-src 'none'" in ask(outside, "/", Cable.CONTAINER)["content-security-policy"]
        for path in ("/metrics/", "/status", "//", "/..%2fmetrics", "/metrics%00"):
            answer = ask(outside, path, Cable.CONTAINER)
            assert (answer.status, answer["content-type"]) == (404, "text/plain; charset=utf-8")
            assert "/metrics" in answer.text


def test_answers_several_requests_on_a_connection(container, loopbridge):
    loopbridge("8080:8000", *LISTEN)
    with connect(container, "127.0.0.1", PORT) as client:
        reader = Reader(client)
        for _ in range(3):
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            assert reader.message().body == b"ok\n"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_changes_nothing(container, loopbridge, method):
    loopbridge("8080:8000", *LISTEN)
    body = b"" if method in ("DELETE", "OPTIONS") else b"x" * 100
    answer = ask(container, "/metrics", method=method, fields=[f"Content-Length: {len(body)}"], body=body)
    assert (answer.status, answer["allow"]) == (405, "GET, HEAD")


def test_shows_what_check_and_doctor_print(container, loopbridge):
    arguments = ("8080:8000", *LISTEN, "--hold", "7s")
    loopbridge(*arguments)

    def printed(*command):
        return subprocess.run(container.command(PROGRAM, *command), capture_output=True, text=True, check=True).stdout

    shown = ask(container, "/configuration.yaml").text
    assert shown == printed("check", "--log-format", "json", "--log-level", "debug", *arguments)
    assert ask(container, "/doctor.json").text == printed("doctor", "--json")


def test_says_what_goes_on(container, outside, loopbridge):
    program = loopbridge("--config", "/dev/null", "8080:8000", *LISTEN)
    with App(container, echo), connect(outside, Cable.CONTAINER, 8080) as client:
        client.sendall(b"x" * 1000)
        read_exactly(client, 1000)
        status = ask(container, "/status.json").json()
        [web] = status["routes"]
        assert (web["name"], web["upstream"], web["protocol"]) == ("0.0.0.0:8080", "localhost:8000", "tcp")
        assert web["listen"] == ["0.0.0.0:8080", "[::]:8080"]
        assert web["app"]["presence"] == "up"
        assert web["connections"] == {"count": 1, "limit": 10000}
        assert (web["totals"]["bytes_to_app"], web["totals"]["bytes_to_client"]) == (1000, 1000)
        assert status["state"] == "running"
        # The connection of the question itself may have gone since.
        assert status["process"]["open_descriptors"] - program.open_descriptors() in (0, 1)
        assert abs(status["time"] - time.time()) < 5 and status["start_time"] <= status["time"]

        def history(after=""):
            return ask(container, f"/history.json{after}").json()

        wait_until(lambda: len(history()["routes"].get("0.0.0.0:8080", [])) >= 2, "two samples are there")
        report = history()
        assert report["interval"] == 1 and report["start_time"] == status["start_time"]
        assert report["routes"]["0.0.0.0:8080"][-1]["connections"] == 1
        # Nothing is told twice.
        behind = history(f"?after={report['last']}")
        assert len(behind["routes"]["0.0.0.0:8080"]) == behind["last"] - report["last"]
        assert len(history("?after=99999999")["routes"]["0.0.0.0:8080"]) >= 2
        assert len(history("?after=garbage")["routes"]["0.0.0.0:8080"]) >= 2


# Figures

@pytest.fixture
def busy(container, outside, loopbridge, tmp_path):
    """A TCP and an HTTP route with a past of every kind."""
    file = ConfigurationFile(
        tmp_path, route(8080, 8000, '"tcp \\"one\\"\\\\"'), route(8081, 8001, "http", protocol="http"),
        route(8082, 8002, "gone", hold="0s"), admin=f"{{ listen: {PORT} }}")
    loopbridge("--config", file.path)

    def answers(request):
        request.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")

    with App(container, echo), HTTPApp(container, answers, port=8001):
        with connect(outside, Cable.CONTAINER, 8080) as client:
            client.sendall(b"hello")
            read_exactly(client, 5)
        with connect(outside, Cable.CONTAINER, 8081) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert Reader(client).message().status == 200
        with contextlib.suppress(ConnectionResetError), connect(outside, Cable.CONTAINER, 8082) as client:
            read_to_end(client)
        yield


OPEN_METRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"


def test_promtool_finds_nothing(container, busy):
    if not os.path.exists("/usr/bin/promtool"):
        pytest.skip("there is no promtool (Debian's prometheus)")
    text = ask(container, "/metrics").text
    check = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=30)
    assert (check.returncode, check.stdout, check.stderr) == (0, "", "")


def test_prometheus_s_own_parsers_read_both_forms(container, busy):
    parser = pytest.importorskip("prometheus_client.parser")
    openmetrics = pytest.importorskip("prometheus_client.openmetrics.parser")
    plain = ask(container, "/metrics")
    open_form = ask(container, "/metrics", accept=OPEN_METRICS)
    assert open_form["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert plain["vary"] == open_form["vary"] == "Accept"

    def series(families):
        return {
            (sample.name, tuple(sorted(sample.labels.items())))
            for family in families for sample in family.samples}

    plain_series = series(parser.text_string_to_metric_families(plain.text))
    open_series = series(openmetrics.text_string_to_metric_families(open_form.text))
    assert plain_series == open_series
    assert len(plain_series) > 300
    # Names that need escaping come out as they went in.
    assert ("loopbridge_connections_total", (("route", 'tcp "one"\\'),)) in plain_series


def test_tcp_figures_agree_with_the_clients(container, outside, loopbridge):
    loopbridge("--hold", "0s", "8080:8000", *LISTEN)
    sent = 0
    with App(container, echo):
        for number in range(1, 21):
            with connect(outside, Cable.CONTAINER, 8080) as client:
                client.sendall(b"x" * (number * 1000))
                read_exactly(client, number * 1000)
                sent += number * 1000
        with connect(outside, Cable.CONTAINER, 8080) as client:
            client.sendall(b"x" * 500)
            read_exactly(client, 500)
            sent += 500
            wait_until(
                lambda: metrics(container)['loopbridge_connections{route="0.0.0.0:8080"}'] == 1, "one is left")
            found = metrics(container)
    label = 'route="0.0.0.0:8080"'
    assert found[f'loopbridge_bytes_total{{{label},direction="to_app"}}'] == sent
    assert found[f'loopbridge_bytes_total{{{label},direction="to_client"}}'] == sent
    assert found[f"loopbridge_connections_total{{{label}}}"] == 21
    assert found[f"loopbridge_connections_ended_total{{{label}}}"] == 20
    assert found[f"loopbridge_connect_duration_seconds_count{{{label}}}"] == 21
    assert found[f"loopbridge_connection_duration_seconds_count{{{label}}}"] == 20
    assert found[f"loopbridge_app_up{{{label}}}"] == 1
    # Now nobody listens.
    for _ in range(3):
        with contextlib.suppress(ConnectionResetError), connect(outside, Cable.CONTAINER, 8080) as client:
            read_to_end(client)
    wait_until(
        lambda: metrics(container)[f'loopbridge_failures_total{{{label},cause="app_not_listening"}}'] == 3,
        "three were refused")
    assert metrics(container)[f"loopbridge_app_up{{{label}}}"] == 0


def test_http_figures_agree_with_the_clients(container, outside, loopbridge):
    def answers(request):
        status = b"404 Not Found" if b"missing" in request.line else b"200 OK"
        request.connection.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 100\r\n\r\n" + b"x" * 100)

    loopbridge("8080:8000/http", *LISTEN)
    with HTTPApp(container, answers), connect(outside, Cable.CONTAINER, 8080) as client:
        reader = Reader(client)
        for number in range(30):
            target = b"/missing" if number % 3 == 0 else b"/"
            client.sendall(b"POST " + target + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" + b"y" * 1000)
            reader.message()
        label = 'route="0.0.0.0:8080"'
        found = metrics(container)
        assert found[f'loopbridge_requests_total{{{label},code="2xx"}}'] == 20
        assert found[f'loopbridge_requests_total{{{label},code="4xx"}}'] == 10
        assert found[f"loopbridge_request_size_bytes_sum{{{label}}}"] == 30_000
        assert found[f"loopbridge_response_size_bytes_sum{{{label}}}"] == 3000
        assert found[f"loopbridge_request_duration_seconds_count{{{label}}}"] == 30
        assert found[f"loopbridge_connections_total{{{label}}}"] == 1
        assert found[f"loopbridge_pool_hits_total{{{label}}}"] == 29


# Health

def readiness(container, **options):
    answer = ask(container, "/readyz", **options)
    return answer.status, answer.text


def test_is_ready_when_the_app_is(container, loopbridge):
    program = loopbridge("--drain", "20s", "8080:8000", *LISTEN)
    status, text = readiness(container)
    assert status == 503
    assert re.match(r"0\.0\.0\.0:8080: the app at localhost:8000 is not listening", text)
    with AppInHand(container) as app:
        wait_until(lambda: readiness(container)[0] == 200, "the app is seen")
        assert "is listening since " in readiness(container)[1]
        assert ask(container, "/readyz", accept="application/json").json()["ok"] is True
        with connect(container, "127.0.0.1", 8080) as client:
            client.sendall(b"x")
            with app.next():
                program.signal(signal.SIGTERM)
                wait_until(lambda: readiness(container)[0] == 503, "it drains")
                assert readiness(container) == (503, "draining: no client is accepted any more\n")
                assert ask(container, "/status.json").json()["state"] == "draining"
                assert ask(container, "/healthz").status == 200
    assert program.wait() == 0
    with pytest.raises(ConnectionRefusedError):
        connect(container, "127.0.0.1", PORT)


def test_says_since_when_the_app_is_missing(container, loopbridge):
    loopbridge("8080:8000", *LISTEN)
    with App(container, echo):
        wait_until(lambda: readiness(container)[0] == 200, "the app is seen")
    wait_until(lambda: readiness(container)[0] == 503, "the app is missed")
    pattern = r".* is not listening since 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \(for \d s\)\n"
    assert re.fullmatch(pattern, readiness(container)[1])
    report = ask(container, "/readyz", accept="application/json").json()
    assert report["ok"] is False and len(report["lines"]) == 1


def test_auto_is_ready_with_the_first_bridge(container, outside, auto):
    program = auto(*LISTEN)
    program.wait_for_message("serving the admin port at")
    assert readiness(container) == (503, "nothing is bridged yet\n")
    assert ask(container, "/healthz").text == "ok\n"
    with App(container, echo):
        wait_until(lambda: program.bridged() == [8000], "it is bridged")
        wait_until(lambda: readiness(container)[0] == 200, "it is ready")


@pytest.mark.parametrize("address", ["127.0.0.1", "[::1]"])
def test_auto_never_bridges_it(container, outside, auto, address):
    program = auto("--admin-listen", f"{address}:{PORT}")
    program.wait_for_message("serving the admin port at")
    with App(container, echo):
        wait_until(lambda: program.bridged() == [8000], "the app is bridged")
        stays_true(lambda: program.bridged() == [8000], "the admin port is not", 1.5)
    assert container.listens_on(PORT) == 1


# Access

def test_answers_those_who_are_allowed(container, outside, loopbridge):
    loopbridge("8080:8000", "--admin-listen", str(PORT), "--admin-allow", "127.0.0.0/8,fd00:17::/64")
    assert ask(container, "/healthz").status == 200
    assert ask(outside, "/healthz", Cable.CONTAINER_V6).status == 200
    for path in PATHS:
        answer = ask(outside, path, Cable.CONTAINER)
        assert answer.status == 403 and "admin.allow" in answer.text
    assert ask(container, "/healthz", "::1").status == 403
