"""Apps that authenticate connections (NTLM, Negotiate): a login is its client's alone, and lasts as long as its connection."""

import signal
import subprocess

import pytest

from support.actors.login import LoginApp, begins, goes_on, log_in
from support.admin import metrics
from support.configuration import ConfigurationFile, route
from support.http import Client, HTTPApp, answers, get, ok
from support.namespaces import Cable
from support.programs.haproxy import HAProxy
from support.sockets import reset
from support.waiting import wait_until

HAPROXY = """
frontend web
    mode http
    bind :8080
    default_backend app
backend app
    mode http
    http-reuse always
    server app 127.0.0.1:8000
"""

IDLE = 'loopbridge_upstream_connections{route="web",state="idle"}'


@pytest.fixture
def bridge(loopbridge, tmp_path):
    def start(workers=1, admin=False, drain="5s", **settings):
        file = ConfigurationFile(
            tmp_path, route("8080", "localhost:8000", name="web", protocol="http", **settings), workers=workers,
            drain=drain, **({"admin": '{ listen: "127.0.0.1:9901" }'} if admin else {}))
        program = loopbridge("--config", file.path)
        program.file = file
        return program
    return start


@pytest.fixture(params=["loopbridge", "haproxy"])
def proxy(request, container, outside, bridge, tmp_path):
    """Ours, and one whose behaviour is taken for right."""
    if request.param == "loopbridge":
        return bridge()
    proxy = HAProxy(container, tmp_path, HAPROXY, ports=[8080])
    request.addfinalizer(proxy.stop)
    return proxy


def leave_one_in_the_pool(client):
    """Has a connection to the app kept that nobody has logged in on."""
    assert client.ask(get("/public")).body == b"public on 0"


def test_nobody_gets_anothers_login(container, outside, proxy):
    with LoginApp(container) as app, Client(outside) as a, Client(outside) as b:
        assert log_in(a, "anna").body == b"anna on 0"
        for _ in range(3):
            assert b.ask(get()).status == 401
            assert a.ask(get()).body == b"anna on 0"
        assert log_in(b, "bert").body == b"bert on 1"
        assert a.ask(get()).body == b"anna on 0"
        a.close()
        with Client(outside) as c:
            assert c.ask(get()).status == 401
        assert b.ask(get()).body == b"bert on 1"
        assert {(number, user) for _, number, user in app.log if user} == {(0, "anna"), (1, "bert")}


@pytest.mark.parametrize("scheme", [b"NTLM", b"ntlm", b"Negotiate", b"NEGOTIATE", b"Nego2", b"Kerberos"])
def test_a_first_message_without_being_asked(container, outside, bridge, scheme):
    """The app lets it in and says nothing about how: what the client has sent is all that there is to see."""
    bridge()
    with LoginApp(container, offer=b"", preemptive=True), Client(outside) as a, Client(outside) as b:
        leave_one_in_the_pool(a)
        assert a.ask(get("/", begins(scheme))).body == b"preemptive on 0"
        assert b.ask(get()).status == 401
        assert a.ask(get()).body == b"preemptive on 0"


@pytest.mark.parametrize("offer", [
    b"WWW-Authenticate: NTLM\r\n",
    b"www-authenticate: negotiate\r\n",
    b"WWW-Authenticate: Basic realm=\"a, b\", Negotiate, NTLM\r\n",
    b"WWW-Authenticate: Basic realm=x\r\nWWW-Authenticate:\tNTLM\r\n",
    b"WWW-Authenticate: Digest realm=\"x\", nonce=\"y\" ,NTLM\r\n",
    b"WWW-Authenticate: Negotiate:Kerberos\r\n",
    b"Proxy-Authenticate: NTLM\r\n",
    b"Persistent-Auth: true\r\n",
])
@pytest.mark.parametrize("status", [b"401 Unauthorized", b"407 Proxy Authentication Required", b"200 OK"])
def test_an_offer_is_enough(container, outside, bridge, offer, status):
    bridge()
    with HTTPApp(container, lambda request: request.connection.sendall(ok(b"%d" % request.number, offer, status))):
        with Client(outside) as a, Client(outside) as b:
            assert [client.ask(get()).body for client in (a, b, a, b)] == [b"0", b"1", b"0", b"1"]


@pytest.mark.parametrize("offer", [
    b"WWW-Authenticate: Basic realm=\"x\"\r\n",
    b"WWW-Authenticate: Digest realm=\"x\", nonce=\"NTLM\"\r\n",
    b"WWW-Authenticate: Bearer\r\n",
    b"X-Authenticate: NTLM\r\n",
])
def test_other_schemes_share_connections(container, outside, bridge, offer):
    bridge()
    with HTTPApp(container, answers(ok(b"", offer, b"401 Unauthorized"))) as app:
        for credentials in (b"Basic YTpi", b"Bearer NTLM", b"Digest username=\"NTLM\"", b"NT LM", b"Token Negotiate"):
            with Client(outside) as client:
                client.ask(get(fields=b"Authorization: %s\r\n" % credentials))
        assert app.accepted == 1


def test_pipelined(container, outside, bridge):
    bridge()
    with LoginApp(container) as app, Client(outside) as a, Client(outside) as b:
        a.send(get("/", begins()) + get("/", goes_on("anna")) + get() + get())
        assert [a.response().status for _ in range(2)] == [401, 200]
        assert [a.response().body for _ in range(2)] == [b"anna on 0"] * 2
        assert b.ask(get()).status == 401
        assert app.accepted == 2


@pytest.mark.parametrize("settings", [
    {"pool": "{ idle: 0 }"}, {"source": "per_client"}, {"proxy_protocol": "{ send: v1 }"},
    {"pool": "{ max_requests: 1 }"}, {"pool": "{ idle_timeout: 1ms }"},
], ids=lambda settings: next(iter(settings)) + str(next(iter(settings.values()))))
def test_settings_of_the_pool_are_not_for_it(container, outside, bridge, settings):
    bridge(**settings)
    served = []

    class App(LoginApp):
        def respond(self, request):
            # The header of the PROXY protocol, once a connection.
            if request.line.startswith(b"PROXY "):
                served.append(request.number)
                request.line = request.head.split(b"\r\n")[1]
            return super().respond(request)

    with App(container), Client(outside) as a, Client(outside) as b:
        assert log_in(a, "anna").body == b"anna on 0"
        assert b.ask(get()).status == 401
        assert a.ask(get()).body == b"anna on 0"
    assert served == ([0, 1] if "proxy_protocol" in settings else [])


def test_http_1_0_and_an_end_of_either_side(container, outside, bridge):
    bridge(workers=2)
    with LoginApp(container) as app:
        with Client(outside) as client:
            client.ask(get(fields=begins() + b"Connection: keep-alive\r\n", version="1.0"))
            assert client.ask(get(fields=goes_on("anna"), version="1.0")).body == b"anna on 0"
            assert client.rest() == b""
        wait_until(lambda: all_closed(app), "the app's connection is closed with the client's")
        with Client(outside) as client:
            log_in(client, "anna")
            reset(client.connection)
            client._reader.close()
        wait_until(lambda: all_closed(app), "the app's connection is closed with the client's")
        assert app.accepted == 2


def all_closed(app):
    return all(connection.fileno() < 0 for connection in app._all)


def test_the_app_closes_it_while_nobody_uses_it(container, outside, bridge):
    """The next request gets another one, on which the client has to log in again; and that is its own, too."""
    bridge()
    with LoginApp(container) as app, Client(outside) as a, Client(outside) as b:
        assert log_in(a, "anna").body == b"anna on 0"
        app._all[0].shutdown(2)
        wait_until(lambda: all_closed(app), "the connection has ended")
        assert a.ask(get()).status == 401
        assert log_in(a, "anna").body == b"anna on 1"
        assert b.ask(get()).status == 401
        assert a.ask(get()).body == b"anna on 1"


@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_request_is_not_repeated_for_somebody_else(container, outside, bridge, end):
    """On another connection the app would not know the client. It sees its connection end, as it would without us."""
    program = bridge()

    class App(LoginApp):
        def respond(self, request):
            if request.line.split()[1] != b"/dies":
                return super().respond(request)
            self.log.append(("/dies", request.number, None))
            if end == "reset":
                reset(request.connection)
            return False

    with App(container) as app:
        with Client(outside) as a:
            log_in(a, "anna")
            a.send(get("/dies"))
            assert a.rest() == b""
        assert program.wait_for_request(3)["end"] == "the app ended the connection without an answer"
        with Client(outside) as a:
            log_in(a, "anna")
            response = a.ask(get("/dies", method="POST"))
            assert response.status == 502
        # A first request has no login that could be lost.
        with Client(outside) as a, Client(outside) as b:
            leave = a.ask(get("/public"))
            assert leave.status == 200
            assert b.ask(get("/dies", begins())).status == 502
        assert [target for target, *_ in app.log].count("/dies") == 4


def test_a_place_is_given_up_for_those_who_wait(container, outside, bridge):
    """One connection, which a client has for its own and does not use: others wait for a while, not forever."""
    bridge(upstream_connections="{ max: 1 }", pool="{ idle_timeout: 500ms }", admin=True)
    with LoginApp(container) as app, Client(outside) as a, Client(outside) as b:
        assert log_in(a, "anna").body == b"anna on 0"
        b.send(get("/", begins()))
        assert b.response().status == 401
        assert app.accepted == 2
        # Now it is the other one that has to wait, and to log in again.
        assert a.ask(get()).status == 401
        assert metrics(container)[IDLE] == 1


def test_a_login_gets_through_while_others_wait(container, outside, bridge):
    bridge(upstream_connections="{ max: 1 }")
    with LoginApp(container) as app, Client(outside) as a, Client(outside) as b:
        assert a.ask(get("/", begins())).status == 401
        b.send(get())
        assert a.ask(get("/", goes_on("anna"))).body == b"anna on 0"
        assert a.ask(get("/", b"Connection: close\r\n")).body == b"anna on 0"
        assert b.response().status == 401
        assert app.accepted == 2


def test_gauges_and_the_drain(container, outside, bridge):
    program = bridge(admin=True)
    with LoginApp(container) as app, Client(outside) as a:
        log_in(a, "anna")
        assert metrics(container)[IDLE] == 1
        a.close()
        wait_until(lambda: metrics(container)[IDLE] == 0, "nothing is kept")
        with Client(outside) as b:
            log_in(b, "bert")
            program.terminate()
            assert b.rest() == b""
        wait_until(lambda: all_closed(app), "the app's connections are closed")


def test_a_reload_ends_it_with_the_clients_connection(container, outside, bridge):
    program = bridge()
    with LoginApp(container) as app, Client(outside) as a:
        log_in(a, "anna")
        program.file.set(
            route("8080", "localhost:8000", name="web", protocol="http", idle_timeout="7m"), workers=1)
        program.signal(signal.SIGHUP)
        program.wait_for_message("reloaded: 1 route changed")
        assert a.rest() == b""
        wait_until(lambda: all_closed(app), "the app's connection is closed")
        with Client(outside) as b:
            assert b.ask(get()).status == 401


def test_curl_logs_in_with_ntlm(container, outside, bridge):
    """A real client: it counts on one connection for its three requests, and sends the next one without credentials."""
    bridge(pool="{ idle: 0 }")
    with LoginApp(container) as app:
        url = f"http://{Cable.CONTAINER}:8080/"
        result = subprocess.run(
            outside.command("curl", "-s", "--ntlm", "-u", "anna:secret", url + "one", url + "two"),
            capture_output=True, timeout=20, stdin=subprocess.DEVNULL)
        assert result.returncode == 0
        assert result.stdout.endswith(b"anna on 0anna on 0"), result.stdout
        assert app.accepted == 1
