"""Files that routes name, passwords and certificates: each is followed in the same way, as long as a route names it."""

import base64
import os
import signal

import pytest

from support.configuration import ConfigMap, ConfigurationFile, route
from support.http import Client, HTTPApp, answers, get, ok
from support.reloading import complaints
from support.tls import Authority
from support.waiting import stays_true, wait_until

# `secret`, by bcrypt at its cheapest.
HASH = "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"


def line(user):
    return f"{user}:{HASH}\n"


def comes_in(outside, user):
    fields = b"Authorization: Basic " + base64.b64encode(f"{user}:secret".encode()) + b"\r\n"
    with Client(outside) as client:
        return client.ask(get(fields=fields)).status == 200


def watched(program):
    """The number of paths that the program watches: each has an instance of inotify."""
    folder = f"/proc/{program.pid}/fd"
    return sum("inotify" in os.readlink(f"{folder}/{number}") for number in os.listdir(folder))


@pytest.fixture
def app(container):
    with HTTPApp(container, answer=answers(ok(b"hello"))) as app:
        yield app


def test_passwords_in_a_folder_that_is_swapped(app, outside, loopbridge, tmp_path):
    secret = ConfigMap(tmp_path, line("anna"))
    program = loopbridge("--basic-auth", secret.path, "8080:8000/http")
    assert comes_in(outside, "anna")
    secret.update(line("bert"))
    wait_until(lambda: comes_in(outside, "bert"), "the new file is read")
    assert not comes_in(outside, "anna")
    assert not complaints(program)


def test_half_a_file_of_passwords_is_never_taken(app, outside, loopbridge, tmp_path):
    """A file that begins with an empty line has no user in it, and one that ends in the middle of a hash has a fault."""
    path = tmp_path / "htpasswd"
    path.write_text(line("anna"))
    program = loopbridge("--basic-auth", str(path), "8080:8000/http")
    text = "\n" + line("bert") + line("carl")
    with open(path, "w") as file:
        for part in (text[:1], text[1:40], text[40:]):
            file.write(part)
            file.flush()
            stays_true(lambda: comes_in(outside, "anna") and not complaints(program), "half of the file is taken", 0.7)
    wait_until(lambda: comes_in(outside, "carl"), "the whole file is read")
    assert not comes_in(outside, "anna")
    assert not complaints(program)


def test_passwords_that_are_removed_still_hold(app, outside, loopbridge, tmp_path):
    path = tmp_path / "htpasswd"
    path.write_text(line("anna"))
    program = loopbridge("--basic-auth", str(path), "8080:8000/http")
    path.unlink()
    warning = program.wait_for_message("a file of passwords has gone")
    assert warning["level"] == "warning" and warning["file"] == str(path)
    assert comes_in(outside, "anna")
    path.write_text(line("bert"))
    wait_until(lambda: comes_in(outside, "bert"), "the new file is read")
    assert len(complaints(program)) == 1


def test_a_path_is_watched_once_and_as_long_as_a_route_names_it(container, loopbridge, tmp_path):
    passwords = tmp_path / "htpasswd"
    passwords.write_text(line("anna"))
    pair = Authority(tmp_path).issue("shared", "DNS:example.test")
    tls = f"{{ certificate: {pair.certificate}, key: {pair.key} }}"
    http = f"{{ basic_auth: {{ file: {passwords} }} }}"
    routes = [
        route(8441, "localhost:8000", tls=tls), route(8442, "localhost:8000", tls=tls, protocol="http"),
        route(8081, "localhost:8000", protocol="http", http=http),
        route(8082, "localhost:8000", protocol="http", http=http), route(8083, "localhost:8000")]
    file = ConfigurationFile(tmp_path, *routes)
    program = loopbridge("--config", file.path)
    assert watched(program) == 3
    for count, (left, expected) in enumerate([(routes[1:], 3), (routes[3:], 1), (routes[4:], 0), (routes, 3)]):
        file.set(*left)
        program.signal(signal.SIGHUP)
        program.wait_for_message("reloaded: ", count=count + 1)
        assert watched(program) == expected


def test_where_the_system_refuses_to_watch(app, outside, loopbridge, tmp_path):
    """A warning, and the file is read with each SIGHUP. Only this one process is refused, by its tracer."""
    path = tmp_path / "htpasswd"
    path.write_text(line("anna"))
    program = loopbridge("--basic-auth", str(path), "8080:8000/http", wrapper=[
        "strace", "-DDD", "-f", "-o", "/dev/null", "-e", "trace=inotify_init1",
        "-e", "inject=inotify_init1:error=EMFILE"])
    warning = program.wait_for_message("cannot watch a file of passwords")
    assert warning["level"] == "warning" and "inotify" in warning["reason"] and warning["file"] == str(path)
    assert comes_in(outside, "anna")
    path.write_text(line("bert"))
    program.signal(signal.SIGHUP)
    program.wait_for_message("reloaded: ")
    assert comes_in(outside, "bert")
    assert len(complaints(program)) == 1
