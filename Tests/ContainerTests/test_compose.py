"""config/docker-compose.yaml, brought up as it is."""

import subprocess

import pytest

from engine.browser import WORKS, shows
from engine.images import REPOSITORY
from support.waiting import wait_until


@pytest.fixture
def compose(docker):
    """Runs docker-compose on the example; what it has brought up goes with the test. It would take an image that an earlier
    version of the program is in, if it were not told to build."""
    environment = docker.environment
    # The Compose that Debian has builds without BuildKit's client.
    environment.update(DOCKER_BUILDKIT="0", COMPOSE_PROJECT_NAME="lb-test")

    def run(*arguments):
        result = subprocess.run(
            ["docker-compose", "--file", REPOSITORY / "config/docker-compose.yaml", *arguments], env=environment,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    yield run
    run("down", "--volumes", "--timeout", "2")


@pytest.mark.parametrize("services, port", [(["app", "app-loopbridge"], 8000), (["wrapped-app"], 8001)],
                         ids=["sidecar", "wrapper"])
def test_answers(compose, host, services, port):
    compose("up", "--detach", "--build", *services)
    for name in ("127.0.0.1", "0.0.0.0"):
        wait_until(lambda: shows(host, name, port) == WORKS, f"http://{name}:{port} works", limit=30, interval=0.2)


def test_are_healthy(compose, docker):
    compose("up", "--detach", "--build")
    for service in ("app-loopbridge", "wrapped-app"):
        container = compose("ps", "--quiet", service).strip()
        wait_until(
            lambda: docker.run("inspect", "--format", "{{.State.Health.Status}}", container) == "healthy",
            f"{service} is healthy", limit=60, interval=0.2)


def test_both_at_once(compose, host):
    compose("up", "--detach", "--build")
    for port in (8000, 8001):
        wait_until(lambda: shows(host, "127.0.0.1", port) == WORKS, f"port {port} works", limit=30, interval=0.2)
