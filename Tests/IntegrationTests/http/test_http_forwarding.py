"""The client's address as the app learns it, and the app's own address as clients see it."""

import pytest

from support.configuration import ConfigurationFile, route
from support.http import Client, HTTPApp, get, ok
from support.namespaces import Cable


@pytest.fixture
def bridge(loopbridge, tmp_path):
    def start(**settings):
        keys = "{ " + ", ".join(f"{key}: {value}" for key, value in settings.items()) + " }"
        file = ConfigurationFile(tmp_path, route("8080", "localhost:8000", protocol="http", http=keys), workers=1)
        return loopbridge("--config", file.path)
    return start


CLAIMS = (
    b"X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.test\r\nX-Real-IP: 192.0.2.7\r\n"
    b"Forwarded: for=192.0.2.7;proto=https\r\n")


def test_strangers_are_not_believed(container, outside, bridge):
    bridge()
    with HTTPApp(container) as app, Client(outside) as client:
        client.send(get("/", CLAIMS))
        request = app.next_request()
        assert request[b"x-forwarded-for"] == Cable.OUTSIDE.encode()
        assert request[b"x-forwarded-proto"] == b"http"
        assert request[b"x-forwarded-host"] == b"example.test"
        assert request[b"x-real-ip"] is None
        assert b"192.0.2.7" not in request.head
        assert request[b"host"] == b"example.test"


def test_trusted_proxies_are(container, outside, bridge):
    bridge(trusted_proxies=f"[{Cable.OUTSIDE}/32]")
    with HTTPApp(container) as app, Client(outside) as client:
        client.send(get("/", CLAIMS))
        request = app.next_request()
        assert request[b"x-forwarded-for"] == b"192.0.2.7, " + Cable.OUTSIDE.encode()
        assert request[b"x-forwarded-proto"] == b"https"
        assert request[b"x-forwarded-host"] == b"shop.test"


def test_the_app_sees_its_own_host(container, outside, bridge):
    bridge(host="upstream")
    with HTTPApp(container) as app, Client(outside) as client:
        client.send(get("/", b"Origin: http://example.test\r\nReferer: http://example.test/form?x\r\n", "POST"))
        request = app.next_request()
        assert request[b"host"] == b"localhost:8000"
        assert request[b"origin"] == b"http://localhost:8000"
        assert request[b"referer"] == b"http://localhost:8000/form?x"
        request.answer(ok(
            b"", b"Location: http://127.0.0.1:8000/next\r\nSet-Cookie: a=b; Domain=localhost; Path=/\r\n"
            b"Set-Cookie: c=d\r\nContent-Location: http://other.test:8000/\r\n", b"302 Found"))
        response = client.response()
        assert response[b"location"] == b"http://example.test/next"
        assert response[b"content-location"] == b"http://other.test:8000/"
        assert [value for name, value in response.fields if name == b"set-cookie"] == [
            b"a=b; Domain=example.test; Path=/", b"c=d"]


def test_the_app_sees_a_name(container, outside, bridge):
    bridge(host="app.internal")
    with HTTPApp(container) as app, Client(outside) as client:
        client.send(get())
        request = app.next_request()
        assert request[b"host"] == b"app.internal"
        request.answer(ok(b"", b"Location: http://localhost:8000/x\r\n", b"302 Found"))
        assert client.response()[b"location"] == b"http://localhost:8000/x"


def test_limits(container, outside, bridge):
    bridge(max_head_size="2KiB", max_fields="5", max_target_length="300B")
    for head, status in (
            (get("/", b"X: " + b"x" * 3000 + b"\r\n"), 431), (get("/", b"X: y\r\n" * 6), 431),
            (get("/" + "a" * 301), 414)):
        with Client(outside) as client:
            assert client.ask(head).status == status
