"""A second container beside the app's, in the same network namespace; the app's image is as it was."""

import pytest

from engine.browser import EMPTY_RESPONSE, WORKS, shows
from engine.containers import LOCKED
from support.waiting import wait_until

PUBLISH = ("--publish", "8000:8000")
DOCKER_DNS = "0B00007F"


@pytest.fixture
def beside(container):
    """Starts loopbridge beside an app, and waits until it carries traffic."""
    def start(app, *arguments, privileges=()):
        sidecar = container("loopbridge", *arguments, options=("--network", f"container:{app.id}", *privileges))
        app.wait_until_listening(8000, count=2)
        return sidecar
    return start


@pytest.mark.parametrize("arguments", [["8000"], ["auto"]], ids=["route", "auto"])
def test_makes_the_app_answer(container, host, beside, privileges, arguments):
    app = container("legacy-app", options=PUBLISH)
    app.wait_until_listening(8000)
    assert shows(host, "127.0.0.1") == EMPTY_RESPONSE
    beside(app, *arguments, privileges=privileges)
    assert {shows(host, name) for name in ("127.0.0.1", "0.0.0.0")} == {WORKS}


@pytest.mark.parametrize("arguments", [["8000"], ["auto"]], ids=["route", "auto"])
def test_on_a_network_of_the_users(container, host, beside, network, arguments):
    """Docker's DNS listens on 127.0.0.11 there: it is loopback too, and not an app."""
    app = container("legacy-app", options=(*PUBLISH, "--network", network))
    app.wait_until_listening(8000)
    dns = {port for address, port in app.listening() if address == DOCKER_DNS}
    assert dns, f"Docker's DNS does not listen: {app.listening()}"
    sidecar = beside(app, *arguments)
    assert {shows(host, name) for name in ("127.0.0.1", "0.0.0.0")} == {WORKS}
    assert {port for address, port in app.listening() if address != DOCKER_DNS} == {8000}
    assert "127.0.0.11" not in sidecar.log


def test_follows_a_network_that_is_joined_later(container, docker, host, beside, network):
    app = container("legacy-app", options=PUBLISH)
    app.wait_until_listening(8000)
    beside(app, "8000")
    docker.run("network", "connect", network, app.id)
    app.wait_until_listening(8000, count=3)
    assert {shows(host, address) for address in app.addresses} == {WORKS}
    docker.run("network", "disconnect", network, app.id)
    wait_until(lambda: sum(1 for _, port in app.listening() if port == 8000) == 2, "the listener has gone")


def test_needs_no_privilege_for_a_port_below_1024(container, host):
    """Docker lets everybody bind those in a network of its own."""
    app = container("legacy-app", options=("--publish", "8000:80"))
    container("loopbridge", "80:8000", options=("--network", f"container:{app.id}", *LOCKED))
    app.wait_until_listening(80)
    app.wait_until_listening(8000)
    assert shows(host, "127.0.0.1") == WORKS


def test_may_be_there_before_the_app(container, host, beside):
    """The app's container waits; loopbridge holds who comes meanwhile."""
    app = container(
        "legacy-app", "sh", "-c", "sleep 3; exec python3 manage.py runserver 127.0.0.1:8000", options=PUBLISH)
    container("loopbridge", "8000", options=("--network", f"container:{app.id}"))
    app.wait_until_listening(8000)
    assert shows(host, "127.0.0.1") == WORKS


def test_ends_at_once_when_it_is_told_to(container, beside):
    app = container("legacy-app")
    app.wait_until_listening(8000)
    sidecar = beside(app, "8000")
    assert sidecar.stop() < 5
    assert sidecar.exit_code == 0
    assert app.is_running
