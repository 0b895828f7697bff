"""The file in the app's own image: it really is all that is needed, wherever it is put."""

import pytest

from engine.browser import WORKS, shows

PUBLISH = ("--publish", "8000:8000")


@pytest.mark.parametrize("image", ["debian-wrapped", "static-app-wrapped"])
def test_makes_the_app_answer(container, host, privileges, image):
    """In Debian as it comes, and in an image with nothing in it but two static files."""
    app = container(image, options=(*PUBLISH, *privileges))
    app.wait_until_listening(8000, count=2)
    assert {shows(host, name) for name in ("127.0.0.1", "0.0.0.0")} == {WORKS}


def test_the_app_alone_does_not_answer(container, host):
    app = container("static-app", options=PUBLISH)
    app.wait_until_listening(8000)
    assert shows(host, "127.0.0.1") != WORKS


def test_an_app_that_comes_back_is_bridged_again(container, host):
    twice = "timeout 2 /app; sleep 1; exec /app"
    app = container("debian-wrapped", "sh", "-c", twice, options=PUBLISH)
    app.wait_until_listening(8000, count=2)
    app.wait_until_not_listening(8000)
    app.wait_until_listening(8000, count=2)
    assert shows(host, "127.0.0.1") == WORKS


@pytest.mark.parametrize("command, code", [
    (["sh", "-c", "exit 3"], 3),
    (["sh", "-c", "kill -KILL $$"], 137),
    (["true"], 0),
    (["/no/such/program"], 127),
    (["/etc/passwd"], 126),
], ids=["exit", "killed", "success", "not found", "not executable"])
def test_the_container_ends_as_the_command_does(docker, privileges, command, code):
    result = docker.try_run("run", "--rm", *privileges, "debian-wrapped", *command)
    assert result.returncode == code, result.stderr


def test_other_signals_reach_the_command(container, docker):
    app = container("debian-wrapped", "sh", "-c", "trap 'echo reloaded' HUP; echo ready; while :; do sleep 0.1; done")
    app.wait_for_log("ready")
    docker.run("kill", "--signal", "HUP", app.id)
    app.wait_for_log("reloaded")
    assert app.is_running


def test_orphans_leave_no_zombies(container, privileges):
    app = container("debian-wrapped", "sh", "-c", "/tools/orphans 200; exec sleep 1000", options=privileges)
    app.wait_for_log("left 200 orphans", limit=60)
    # The last of them end now; all that stays is process 1 and its child.
    app.wait_until_processes({"loopbridge", "sleep"})
