"""The admin port: who may ask, what is answered, and what it does to the rest, which is nothing."""

import contextlib
import os
import re
import signal
import socket
import stat
import subprocess
import time

import pytest

from support.admin import PORT, ask, metrics
from support.apps import App, AppInHand, echo
from support.configuration import ConfigurationFile, route
from support.http import HTTPApp, Reader
from support.loopbridge import run_to_end
from support.namespaces import Cable
from support.settings import PROGRAM
from support.sockets import connect, read_exactly, read_to_end
from support.waiting import stays_true, wait_until

LISTEN = ("--admin-listen", f"0.0.0.0:{PORT}")
CANNOT_LISTEN = 71

PATHS = {
    "/": "text/html; charset=utf-8",
    "/metrics": "text/plain; version=0.0.4; charset=utf-8",
    "/healthz": "text/plain; charset=utf-8",
    "/readyz": "text/plain; charset=utf-8",
    "/status.json": "application/json",
    "/history.json": "application/json",
    "/configuration.yaml": "text/plain; charset=utf-8",
    "/doctor.json": "application/json",
}


def listening_ports(container):
    return {local for _, local, _, state in container.connections() if state == "0A"}


def unix_socket(tmp_path):
    return str(tmp_path / "admin.sock")


# What is answered

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


# Who may ask

def test_answers_those_who_are_allowed(container, outside, loopbridge):
    loopbridge("8080:8000", "--admin-listen", str(PORT), "--admin-allow", "127.0.0.0/8,fd00:17::/64")
    assert ask(container, "/healthz").status == 200
    assert ask(outside, "/healthz", Cable.CONTAINER_V6).status == 200
    for path in PATHS:
        answer = ask(outside, path, Cable.CONTAINER)
        assert answer.status == 403 and "admin.allow" in answer.text
    assert ask(container, "/healthz", "::1").status == 403


# Its sockets

def test_a_port_that_is_taken_ends_the_program(container):
    with App(container, echo, port=PORT):
        program = run_to_end(container, "8080:8000", "--admin-listen", f"127.0.0.1:{PORT}")
    assert program.code == CANNOT_LISTEN
    assert "the port is taken" in program.messages("cannot listen on")[0]["message"]


@pytest.mark.parametrize("listen", ["8080", "127.0.0.1:8080", "[::1]:8080"])
def test_a_route_s_port_is_refused(container, listen):
    program = run_to_end(container, "8080:8000", "--admin-listen", listen)
    assert program.code == 64
    assert any("--admin-listen" in line for line in program.noise), program.noise


def test_serves_on_a_unix_socket(container, loopbridge, tmp_path):
    path = unix_socket(tmp_path)
    # The allow list is about addresses.
    program = loopbridge("8080:8000", "--admin-socket", path, "--admin-allow", "192.0.2.1")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    for target in PATHS:
        assert ask(container, target, path).status in (200, 503)
    assert listening_ports(container) == {8080}
    assert program.terminate() == 0
    assert not os.path.exists(path)


def test_replaces_a_socket_that_a_dead_program_has_left(container, loopbridge, tmp_path):
    path = unix_socket(tmp_path)
    program = loopbridge("8080:8000", "--admin-socket", path)
    program.signal(signal.SIGKILL)
    program.wait()
    program.code = 0  # as it should
    assert os.path.exists(path)
    loopbridge("8081:8000", "--admin-socket", path)
    assert ask(container, "/healthz", path).status == 200


def test_leaves_a_socket_alone_that_somebody_answers_on(container, outside, loopbridge, tmp_path):
    path = unix_socket(tmp_path)
    first = loopbridge("8080:8000", "--admin-socket", path)
    second = loopbridge("8081:8000", "--admin-socket", path)
    second.wait_for_message("no admin port at")
    with App(container, echo), connect(outside, Cable.CONTAINER, 8081) as client:
        client.sendall(b"x")
        assert read_exactly(client, 1) == b"x"
    assert [r["name"] for r in ask(container, "/status.json", path).json()["routes"]] == ["0.0.0.0:8080"]
    # The second one gets it when the first has gone, and the first one's end takes nothing away.
    assert first.terminate() == 0
    second.wait_for_message("serving the admin port at unix:", limit=15)
    assert [r["name"] for r in ask(container, "/status.json", path).json()["routes"]] == ["0.0.0.0:8081"]


@pytest.mark.parametrize("what", ["file", "folder", "link", "nowhere"])
def test_what_is_no_socket_stays(container, outside, loopbridge, tmp_path, what):
    path = unix_socket(tmp_path)
    match what:
        case "file": open(path, "w").write("precious")
        case "folder": os.mkdir(path)
        case "link":
            (tmp_path / "target").write_text("precious")
            os.symlink(tmp_path / "target", path)
        case "nowhere": path = str(tmp_path / "missing" / "admin.sock")
    before = os.lstat(path) if what != "nowhere" else None
    program = loopbridge("8080:8000", "--admin-socket", path)
    line = program.wait_for_message("no admin port at")
    assert line["level"] == "warning" and line["reason"]
    with App(container, echo), connect(outside, Cable.CONTAINER, 8080) as client:
        client.sendall(b"x")
        assert read_exactly(client, 1) == b"x"
    assert program.terminate() == 0
    if before:
        assert os.lstat(path).st_ino == before.st_ino


def test_a_read_only_folder_is_worth_a_warning(container, loopbridge, tmp_path):
    # A file system of its own, read-only for this program alone.
    wrapper = ("unshare", "--mount", "/bin/sh", "-c", 'mount -t tmpfs -o ro none "$0" && exec "$@"', str(tmp_path))
    program = loopbridge("8080:8000", "--admin-socket", unix_socket(tmp_path), wrapper=wrapper)
    assert program.wait_for_message("no admin port at")["reason"] == "Read-only file system"


# Reload

@pytest.fixture
def reloadable(loopbridge, tmp_path):
    def start(**settings):
        file = ConfigurationFile(tmp_path, route(8080, 8000, "web"), **settings)
        return loopbridge("--config", file.path), file

    return start


def reload(program):
    before = len(program.messages("reloaded: "))
    program.signal(signal.SIGHUP)
    return program.wait_for_message("reloaded: ", count=before + 1)["message"]


def test_a_reload_moves_it(container, outside, reloadable, tmp_path):
    path = unix_socket(tmp_path)
    program, file = reloadable()
    file.set(route(8080, 8000, "web"), admin=f"{{ listen: 127.0.0.1:{PORT}, socket: {path} }}")
    assert reload(program) == "reloaded: 1 route unchanged; changed besides: admin"
    assert ask(container, "/healthz").status == ask(container, "/healthz", path).status == 200
    file.set(route(8080, 8000, "web"), admin="{ listen: 9902, allow: [127.0.0.1] }")
    reload(program)
    assert ask(container, "/healthz", port=9902).status == 200
    assert ask(outside, "/healthz", Cable.CONTAINER, 9902).status == 403
    assert not container.listens_on(PORT) and not os.path.exists(path)
    file.set(route(8080, 8000, "web"), admin="{ listen: 9902, allow: none }")
    reload(program)
    assert ask(outside, "/healthz", Cable.CONTAINER, 9902).status == 200
    # A mistake changes nothing.
    file.replace("admin: { listen: 9903 }\nroutes: []\nsurely: wrong\n")
    program.signal(signal.SIGHUP)
    program.wait_for_message("not reloaded")
    found = metrics(container, port=9902)
    assert found["loopbridge_last_reload_successful"] == 0
    assert found['loopbridge_reloads_total{result="success"}'] == 3
    assert found['loopbridge_reloads_total{result="failure"}'] == 1
    file.set(route(8080, 8000, "web"))
    reload(program)
    assert listening_ports(container) == {8080}


def test_a_reload_trades_ports_with_a_route(container, outside, reloadable):
    program, file = reloadable(admin=f"{{ listen: {PORT} }}")
    file.set(route(PORT, 8000, "web"), admin="{ listen: 8080 }")
    reload(program)

    def is_admin(port):
        try:
            return ask(container, "/healthz", port=port).status == 200
        except OSError:
            return False

    def is_route(port):
        try:
            with connect(outside, Cable.CONTAINER, port) as client:
                client.sendall(b"x")
                return client.recv(1) == b"x"
        except OSError:
            return False

    wait_until(lambda: is_admin(8080), "the admin port has the route's")
    with App(container, echo):
        # Who listens there may be the admin port for a moment more.
        wait_until(lambda: is_route(PORT), "the route has the admin port's")


def test_a_reload_waits_for_a_port_that_is_taken(container, reloadable):
    program, file = reloadable()
    with App(container, echo, port=PORT):
        file.set(route(8080, 8000, "web"), admin=f"{{ listen: 127.0.0.1:{PORT} }}")
        reload(program)
        line = program.wait_for_message("the admin port cannot listen on")
        assert line["level"] == "error"
    program.wait_for_message("serving the admin port at", limit=15)
    assert ask(container, "/healthz").status == 200


# Hostile clients

GARBAGE = [
    b"\x00\xff\x16\x03\x01" * 100, b"\r\n" * 1000, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\nnonsense\r\n\r\n", b"GET " + b"/" * 100_000 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(20_000)) + b"\r\n",
    b"GET / HTTP/1.1\r\nX: " + b"y" * 1_000_000 + b"\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n" + b"y" * 1_000_000,
    b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"ffff\r\n" + b"y" * 1_000_000,
    b"GET http://[::1 HTTP/1.1\r\n\r\n", b"GET /metrics?" + b"%" * 500 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    b"FROB /metrics HTTP/1.1\r\nHost: a\r\n\r\n", b"CONNECT a:1 HTTP/1.1\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\n\r\n" * 500,
]


@pytest.mark.limit(120)
def test_nonsense_does_no_harm(container, outside, loopbridge):
    program = loopbridge("8080:8000", *LISTEN)
    with App(container, echo), connect(outside, Cable.CONTAINER, 8080) as client:
        for garbage in GARBAGE:
            for leaves_early in (False, True):
                attacker = connect(outside, Cable.CONTAINER, PORT, timeout=15)
                try:
                    attacker.sendall(garbage)
                    if not leaves_early:
                        attacker.shutdown(socket.SHUT_WR)
                        read_to_end(attacker)
                except OSError:
                    pass
                attacker.close()
            client.sendall(b"x")
            assert read_exactly(client, 1) == b"x"
            assert ask(container, "/healthz").text == "ok\n"
    assert not program.messages("cannot accept")


@pytest.mark.limit(120)
def test_slow_clients_take_nothing_from_others(container, outside, loopbridge, tmp_path):
    path = unix_socket(tmp_path)
    program = loopbridge("8080:8000", *LISTEN, "--admin-socket", path)
    before = program.settled_descriptors()
    slow = [connect(outside, Cable.CONTAINER, PORT) for _ in range(40)]
    try:
        for attacker in slow:
            attacker.sendall(b"GET /metr")
        assert ask(container, "/healthz", path).status == 200
        assert program.open_descriptors() <= before + 34
        with App(container, echo), connect(outside, Cable.CONTAINER, 8080) as client:
            client.sendall(b"x")
            assert read_exactly(client, 1) == b"x"

        def drip():
            """A byte now and then, so that no silence ends it."""
            for attacker in slow:
                try:
                    attacker.send(b"i")
                except OSError:
                    pass

        begin = time.monotonic()
        waiting = connect(container, "127.0.0.1", PORT, timeout=1)
        waiting.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        # Those that are there first are given up after a while; then it is somebody else's turn.
        while True:
            drip()
            try:
                assert waiting.recv(100).startswith(b"HTTP/1.1 200")
                break
            except TimeoutError:
                assert time.monotonic() - begin < 60
        waiting.close()
    finally:
        for attacker in slow:
            attacker.close()


def test_clients_that_leave_at_once(container, outside, loopbridge):
    program = loopbridge("8080:8000", *LISTEN)
    before = program.settled_descriptors()
    for number in range(300):
        with connect(outside, Cable.CONTAINER, PORT) as client:
            client.sendall(f"GET {list(PATHS)[number % len(PATHS)]} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    assert ask(container, "/healthz").text == "ok\n"
    wait_until(lambda: program.open_descriptors() <= before + 1, "all are closed")
    assert not metrics(container)["loopbridge_log_lines_dropped_total"]


def test_descriptors_that_run_out(container, outside, loopbridge):
    """With few descriptors the traffic may have all but the admin port's, which goes on answering."""
    program = loopbridge("--hold", "0s", "8080:8000", *LISTEN, wrapper=("prlimit", "--nofile=160:160"))
    with App(container, echo):
        clients = []
        try:
            for _ in range(80):
                clients.append(connect(outside, Cable.CONTAINER, 8080))
                clients[-1].sendall(b"x")
            program.wait_for_message("the limit of open files is reached")
            assert ask(container, "/healthz").text == "ok\n"
            found = metrics(container)
            assert found["process_max_fds"] == 160 and found["process_open_fds"] < 150
        finally:
            for client in clients:
                client.close()
