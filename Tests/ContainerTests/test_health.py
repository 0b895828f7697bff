"""The image's health check, and looking inside."""

import pytest

from engine.browser import WORKS, shows
from engine.containers import LOCKED
from support.waiting import wait_until


@pytest.mark.parametrize("options", [(), ("--read-only",), LOCKED, ("--user", "1234:1234"), ("--user", "0:0")],
                         ids=["plain", "read-only", "locked", "another user", "root"])
def test_is_healthy_within_seconds(container, options):
    app = container("legacy-app")
    sidecar = container("loopbridge", "8000", options=("--network", f"container:{app.id}", *options))
    wait_until(lambda: sidecar.health == "healthy", "it is healthy", limit=30, interval=0.2)
    assert sidecar.run("/loopbridge", "health") == "ok"
    app.wait_until_listening(8000, count=2)
    wait_until(lambda: "is listening" in sidecar.run("/loopbridge", "health", "--ready"), "it is ready", limit=15)
    lines = sidecar.run("/loopbridge", "top", "--count", "1").splitlines()
    assert lines[0].startswith("loopbridge ") and "running" in lines[0]
    assert any("up" in line.split() for line in lines[2:]), lines


def test_a_missing_app_is_no_sickness(container, docker):
    """A supervisor that restarts unhealthy containers must not restart us for it."""
    sidecar = container("loopbridge", "8080:8000")
    wait_until(lambda: sidecar.health == "healthy", "it is healthy", limit=30, interval=0.2)
    result = docker.try_run("exec", sidecar.id, "/loopbridge", "health", "--ready")
    assert result.returncode == 1
    assert "is not listening" in result.stdout


def test_carries_traffic_where_there_can_be_no_socket(container, host):
    """Nothing can be written anywhere: the log says so, and that is all."""
    app = container("legacy-app", options=("--publish", "8000:8000"))
    sidecar = container(
        "loopbridge", "8000", options=("--network", f"container:{app.id}", "--read-only", "--ipc", "none"))
    app.wait_until_listening(8000, count=2)
    assert shows(host, "127.0.0.1") == WORKS
    assert "/dev/shm/loopbridge.sock" in sidecar.log and sidecar.is_running
