"""Basic authentication: who may use a route of HTTP, by name and password."""

import base64
import os
import signal

import pytest

from support.admin import metrics
from support.http import Client, HTTPApp, answers, get, ok
from support.loopbridge import run_to_end
from support.waiting import wait_until

# `secret`: bcrypt at its cheapest, and at what it should cost; and SHA-512-crypt.
CHEAP = "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
SHA = "$6$rounds=1000$abcdefgh$" \
    "nhYjN017qxiYztzyUpZtPnUQcnLy62KsunSLHNeLahp2EHPlAKmFFlrjEwSXGo2kgY5hR2.peKEg2VGUqIJJu1"


def authorization(user, password="secret"):
    return b"Authorization: Basic " + base64.b64encode(f"{user}:{password}".encode()) + b"\r\n"


def write(path, text):
    with open(f"{path}.new", "w") as file:
        file.write(text)
    os.rename(f"{path}.new", path)


@pytest.fixture
def guarded(container, loopbridge, tmp_path):
    """loopbridge with a file of passwords; returns both."""
    path = tmp_path / "htpasswd"
    write(path, f"anna:{CHEAP}\nbert:{SHA}\n")
    return loopbridge("--admin-listen", "9901", "--basic-auth", str(path), "8080:8000/http"), path


def status(outside, fields=b""):
    with Client(outside) as client:
        return client.ask(get(fields=fields)).status


def test_who_has_the_password_comes_in(container, outside, guarded):
    program, _ = guarded
    with HTTPApp(container) as app, Client(outside) as client:
        for user in ("anna", "bert", "anna", "anna"):
            client.send(get(fields=authorization(user)))
            request = app.next_request()
            # The app may want to know who it is.
            assert request[b"authorization"] == authorization(user)[len("Authorization: "):-2]
            request.answer(ok(b"hello"))
            assert client.response().body == b"hello"
    program.wait_for_request(4)
    assert [line["user"] for line in program.requests()] == ["anna", "bert", "anna", "anna"]


@pytest.mark.parametrize("fields, cause", [
    (b"", "unauthorized"), (b"Authorization: Bearer anna\r\n", "unauthorized"),
    (authorization("anna") * 2, "unauthorized"), (authorization("anna", "Secret"), "wrong_password"),
    (authorization("nobody"), "wrong_password"), (authorization("anna", ""), "wrong_password"),
])
def test_everybody_else_is_asked(container, outside, guarded, fields, cause):
    program, _ = guarded
    with HTTPApp(container) as app, Client(outside) as client:
        answer = client.ask(get(fields=fields))
        assert answer.status == 401
        assert answer[b"www-authenticate"] == b'Basic realm="loopbridge", charset="UTF-8"'
        assert app.served == 0 and app.accepted == 0
    assert metrics(container)[f'loopbridge_failures_total{{route="0.0.0.0:8080",cause="{cause}"}}'] == 1
    line = program.wait_for_request(1)
    assert line["status"] == 401 and "user" not in line


def test_bodies_and_pipelined_requests(container, outside, guarded):
    """Bytes behind a head wait until the password is found right, and none of them is lost."""
    with HTTPApp(container, answer=lambda request: request.answer(ok(request.body))), Client(outside) as client:
        data = b"".join(
            b"POST / HTTP/1.1\r\nHost: a\r\n" + authorization(user) + b"Content-Length: 5\r\n\r\n" + body
            for user, body in (("anna", b"first"), ("bert", b"2. .."), ("anna", b"third")))
        client.send(data)
        assert [client.response().body for _ in range(3)] == [b"first", b"2. ..", b"third"]


def test_the_file_is_followed(container, outside, guarded):
    program, path = guarded
    with HTTPApp(container, answer=answers(ok(b"hello"))):
        assert status(outside, authorization("anna")) == 200
        write(path, f"carl:{CHEAP}\n")
        program.wait_for_message("read the passwords", count=2)
        assert status(outside, authorization("anna")) == 401
        assert status(outside, authorization("carl")) == 200
        # One with a fault changes nothing, and a reload says so too.
        write(path, "carl:secret\n")
        message = program.wait_for_message("the passwords stay as they were")["message"]
        assert f"{path}:1: this is no hash" in message
        assert status(outside, authorization("carl")) == 200
        program.signal(signal.SIGHUP)
        program.wait_for_message("this is no hash", count=2)
        assert status(outside, authorization("carl")) == 200


def test_a_file_with_a_fault_ends_the_start(container, tmp_path):
    path = tmp_path / "htpasswd"
    write(path, f"anna:{CHEAP}\nbert:$apr1$x$y\n")
    program = run_to_end(container, "--basic-auth", str(path), "8080:8000/http")
    assert program.code == 78
    assert any(line.startswith(f"{path}:2:1: error: MD5 is no protection") for line in program.noise), program.noise
    assert not any("apr1" in line for line in program.noise), program.noise
    configuration = tmp_path / "loopbridge.yaml"
    configuration.write_text(
        "routes: [{ listen: 8080, upstream: 8000, protocol: http, http: { basic_auth: { file: /nowhere/htpasswd } } }]\n")
    program = run_to_end(container, "--config", str(configuration))
    assert program.code == 78
    assert any("error: /nowhere/htpasswd: no such file" in line for line in program.noise), program.noise


def test_guessing_keeps_nobody_else_waiting(container, outside, loopbridge, tmp_path):
    """Passwords are looked at on a thread of their own, and who is known need not wait for it."""
    path = tmp_path / "htpasswd"
    # A cost that takes about half a second, and more where a sanitizer looks on.
    write(path, "anna:$2y$13$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW\n" f"bert:{CHEAP}\n")
    loopbridge("--workers", "1", "--admin-listen", "9901", "--basic-auth", str(path), "8080:8000/http")
    with HTTPApp(container, answer=answers(ok(b"hello"))), Client(outside) as bert:
        assert bert.ask(get(fields=authorization("bert"))).status == 200
        guessers = [Client(outside).send(get(fields=authorization("anna", f"{number}"))) for number in range(80)]
        failures = 'loopbridge_failures_total{route="0.0.0.0:8080",cause="%s"}'
        # No more may wait than there is a queue for.
        wait_until(lambda: metrics(container)[failures % "passwords_busy"] >= 10, "the queue is full")
        before = metrics(container)[failures % "wrong_password"]
        for _ in range(50):
            assert bert.ask(get(fields=authorization("bert"))).status == 200
        assert metrics(container)[failures % "wrong_password"] - before < 40, "bert has waited for the guessers"
        # The password of a client that has left is not looked at any more.
        for guesser in guessers:
            guesser.close()
