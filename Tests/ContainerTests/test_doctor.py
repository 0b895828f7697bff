"""A puzzled person, a browser that says ERR_EMPTY_RESPONSE, and `loopbridge doctor`."""

import json
import re

import pytest

from engine.browser import EMPTY_RESPONSE, WORKS, shows
from support.waiting import wait_until

URLS = ("127.0.0.1", "0.0.0.0")


@pytest.fixture
def app(container, host, privileges):
    """The article's container, with the program in it and nothing that starts it."""
    started = container("legacy-app-with-program", options=("--publish", "8000:8000", *privileges))
    started.wait_until_listening(8000)
    assert shows(host, "127.0.0.1") == EMPTY_RESPONSE
    return started


def words(text):
    return " ".join(text.split())


def fix_in(text):
    """The command that it prints, as a person copies it."""
    commands = re.findall(r"^ *Fix: +(.*)$", text, re.MULTILINE)
    assert len(commands) == 1, text
    return commands[0]


def assert_works(host):
    wait_until(lambda: {shows(host, name) for name in URLS} == {WORKS}, "both URLs work")


def test_explains_the_empty_response(app):
    said = words(app.run("loopbridge", "doctor"))
    assert "127.0.0.1:8000 cannot be reached from outside" in said
    assert "ERR_EMPTY_RESPONSE" in said
    assert f"{app.addresses[0]}:8000, where nobody listens" in said
    assert "python3" in said


def test_the_command_that_it_prints_fixes_it(app, host):
    command = fix_in(app.run("loopbridge", "doctor"))
    app.run("sh", "-c", command, options=["--detach"])
    assert_works(host)
    after = app.run("loopbridge", "doctor")
    assert "Fix:" not in after and "yes, bridged" in after


def test_from_a_container_beside_it(container, docker, host, privileges):
    """Nothing in the app's image: `loopbridge ARGUMENTS` is `docker run --network container:… loopbridge ARGUMENTS`."""
    app = container("legacy-app", options=("--publish", "8000:8000"))
    app.wait_until_listening(8000)
    beside = ("--network", f"container:{app.id}", *privileges)
    said = docker.run("run", "--rm", *beside, "loopbridge", "doctor")
    assert "ERR_EMPTY_RESPONSE" in said
    # Another container's processes are hidden from this one, and it says so.
    assert "hidden" in said
    program, *arguments = fix_in(said).split()
    assert program == "loopbridge"
    container("loopbridge", *arguments, options=beside)
    assert_works(host)


def test_tells_machines_the_same(app):
    told = json.loads(app.run("loopbridge", "doctor", "--json"))
    assert told["outside_addresses"] == app.addresses
    [listener] = told["listeners"]
    assert (listener["address"], listener["port"], listener["reachable"]) == ("127.0.0.1", 8000, False)
    assert listener["command"] == "loopbridge 8000"


def test_leaves_the_resolver_alone(container, network):
    app = container("legacy-app-with-program", options=("--network", network))
    app.wait_until_listening(8000)
    said = app.run("loopbridge", "doctor")
    assert "127.0.0.11" in said and fix_in(said) == "loopbridge 8000"
