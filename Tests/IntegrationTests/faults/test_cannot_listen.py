"""A listening socket that cannot be had: exit code 71, and an error that says what to do."""

import pytest

from support.apps import App, echo
from support.loopbridge import run_to_end
from support.processes import Process
from support.waiting import wait_until

CANNOT_LISTEN = 71


def said(program):
    """All that it has logged as an error, and whatever else it has said."""
    return "\n".join([entry["message"] for entry in program.log if entry["level"] == "error"] + program.noise)


@pytest.fixture
def holder(container):
    """A process that has port 8080."""
    server = Process(container.command(
        "/usr/bin/python3", "-c",
        "import signal, socket\n"
        "listener = socket.create_server(('0.0.0.0', 8080))\n"
        "signal.pause()"))
    wait_until(lambda: container.listens_on(8080), "the other process has the port")
    yield server
    server.stop()


@pytest.mark.parametrize("route", ["8080:8000", "127.0.0.1:8080:8000", "0.0.0.0:8080:8000"])
def test_taken_port_names_who_has_it(container, holder, route):
    program = run_to_end(container, route)
    assert program.code == CANNOT_LISTEN
    assert f"python3 (pid {holder.pid})" in said(program), said(program)
    assert "8080" in said(program)


def test_two_of_them(container, loopbridge):
    """The second does not join the first's listeners unnoticed, although the first's workers share theirs."""
    first = loopbridge("--workers", "2", "8080:8000")
    second = run_to_end(container, "--workers", "2", "8080:8000")
    assert second.code == CANNOT_LISTEN
    assert f"(pid {first.pid})" in said(second), said(second)


def test_same_port_that_the_app_has_on_every_address(container, outside):
    """The app does not need us: it listens on 0.0.0.0."""
    with App(container, echo, address="0.0.0.0"):
        program = run_to_end(container, "8000")
        assert program.code == CANNOT_LISTEN
        assert "8000" in said(program) and "pid" in said(program)


def test_port_below_1024_without_permission(container):
    container.sysctl("net.ipv4.ip_unprivileged_port_start", 1024)
    program = run_to_end(
        container, "80:8000", wrapper=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
    assert program.code == CANNOT_LISTEN
    assert "ermission" in said(program) and "80" in said(program), said(program)


def test_port_below_1024_without_root_where_that_is_allowed(container, loopbridge):
    container.sysctl("net.ipv4.ip_unprivileged_port_start", 0)
    loopbridge("80:8000", wrapper=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
    assert container.listens_on(80) == 2


def test_address_that_no_interface_has(container):
    program = run_to_end(container, "192.0.2.1:8080:8000")
    assert program.code == CANNOT_LISTEN
    assert "192.0.2.1" in said(program)
